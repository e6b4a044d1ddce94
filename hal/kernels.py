"""How loops over pictures and distances are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiles `function` with numba: one thread, without the interpreter's lock, kept on disk where that is possible.

    Sums may be reordered, and what is passed in must be finite.
    """
    return _compiled(function, fastmath=True, error_model="numpy")


def exact_kernel(function: F) -> F:
    """As `kernel`, but every operation as written: infinities and NaN keep their meaning, and so do ties."""
    return _compiled(function, error_model="numpy")


def summing_kernel(function: F) -> F:
    """As `exact_kernel`, but the order of a sum may change: without that, no sum uses vector instructions."""
    return _compiled(function, error_model="numpy", fastmath={"reassoc", "contract"})


def _compiled(function: F, **options: Any) -> F:
    """Keeps the compiled code on disk: in `NUMBA_CACHE_DIR`, beside the source, or in the user's cache folder.

    What is kept is compiled anew when its own file changes, not when a kernel that it calls does from another file:
    who edits one of those deletes the `*.nbi` beside its callers.

    On a box with a read-only system and no home none of these can be written. numba then raises as soon as the module
    is imported, even where the code had been kept before: compiling once a process is better than a useless box.
    """
    try:
        return cast("F", numba.njit(nogil=True, cache=True, **options)(function))
    except RuntimeError:
        return cast("F", numba.njit(nogil=True, **options)(function))
