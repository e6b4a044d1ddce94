"""What a disk holds, and what it only has in its cache: at a power cut any part of the latter is gone."""

from __future__ import annotations

import random
import threading

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


class PowerOffError(OSError):
    """The disk has no power."""


class VolatileCache:
    """Thread-safe. image: what the disk holds, a whole number of sectors.

    A write is in the cache until the next flush has been answered; `freeze` stops time for the disk: nothing is
    answered any more until `turn_off`, and from then on with `PowerOffError`.
    """

    def __init__(self, image: bytes) -> None:
        self._durable, self._seen = bytearray(image), bytearray(image)
        self._unflushed: dict[int, None] = {}
        self._lock = threading.Lock()
        self._off = False
        self.cut = self.kept = 0
        """Sectors that were only in the cache at the cut, and of those the ones that the disk had written by itself."""

    def __len__(self) -> int:
        return len(self._seen)

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:
            self._check()
            return bytes(self._seen[offset : offset + length])

    def write(self, offset: int, data: bytes, through: bool = False) -> None:
        with self._lock:
            self._check()
            self._seen[offset : offset + len(data)] = data
            self._unflushed |= dict.fromkeys(range(offset // SECTOR, -(-(offset + len(data)) // SECTOR)))
        if through:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            self._check()
            for sector in self._unflushed:
                self._settle(sector)
            self._unflushed.clear()

    def freeze(self) -> None:
        """The power is cut now."""
        self._lock.acquire()

    def turn_off(self, rng: random.Random) -> bytes:
        """What is on the disk after a cut: all that was flushed, and of the rest what the disk had got to, in whatever
        order it liked: nothing, everything, or some of it."""
        share = rng.choice((0.0, 1.0, rng.random(), rng.random()))
        self.cut = len(self._unflushed)
        for sector in self._unflushed:
            if rng.random() < share:
                self._settle(sector)
                self.kept += 1
        self._off = True
        self._lock.release()
        return bytes(self._durable)

    def _settle(self, sector: int) -> None:
        at = slice(sector * SECTOR, (sector + 1) * SECTOR)
        self._durable[at] = self._seen[at]

    def _check(self) -> None:
        if self._off:
            raise PowerOffError("the disk has no power")
