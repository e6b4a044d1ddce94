"""The C library's allocator, told to give back what it does not need: the box runs for months.

Left to itself, glibc raises the size from which a block is a mapping of its own to that of the largest block that was
ever freed, and keeps a heap for each thread; each set's pose network then leaves holes behind that nobody fits into
(measured: 50 to 150 MB more after six openings of the network, nothing with what is set here).
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""mallopt(3); naming a threshold keeps glibc from moving it."""
_BLOCK = 128 << 10
_ARENAS = 2


def give_memory_back() -> None:
    """To be called before there are threads. Another C library's allocator is left as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in ((_TRIM_THRESHOLD, _BLOCK), (_MMAP_THRESHOLD, _BLOCK), (_ARENA_MAX, _ARENAS)):
            mallopt(option, value)
