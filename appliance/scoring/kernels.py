"""How the loops of scoring are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiles `function` with numba: one thread, without the interpreter's lock, every operation as written."""
    return _compiled(function, nogil=True)


def summing_kernel(function: F) -> F:
    """As `kernel`, but the order of a sum may change: without that, no sum uses vector instructions.

    Infinities and NaN keep their meaning.
    """
    return _compiled(function, nogil=True, fastmath={"reassoc", "contract"})


def _compiled(function: F, **options: Any) -> F:
    """Keeps the compiled code on disk: in `NUMBA_CACHE_DIR`, beside the source, or in the user's cache folder.

    On a box with a read-only system and no home none of these can be written. numba then raises as soon as the module
    is imported, even where the code had been kept before: compiling once a process is better than no score.
    """
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:
        return cast("F", numba.njit(**options)(function))
