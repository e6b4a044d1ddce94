"""How the loops over pictures are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiles `function` with numba: one thread, without the interpreter's lock, kept on disk where that is possible.

    Sums may be reordered, and what is passed in must be finite.

    Where no folder for compiled code can be written (`NUMBA_CACHE_DIR`, beside the source, the user's cache), numba
    raises as soon as the module is imported; compiling once per process is better than a camera that cannot be used.
    """
    try:
        return cast(F, numba.njit(nogil=True, fastmath=True, error_model="numpy", cache=True)(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True, fastmath=True, error_model="numpy")(function))
