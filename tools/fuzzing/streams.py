"""What comes over a line and never ends: the parsers of the IMUs' protocols."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from breaking import broken
from hal.errors import HalError
from hal.imu import bvh_stream, xbus_data
from hal.imu.xbus_frames import BUS_IDS, FrameParser, Mid, encode
from hal.imu.xbus_samples import Reader, SensorClock

Feed = Callable[[], None]

_KINDS = (
    0x0810,
    0x1010,
    0x1020,
    0x1060,
    0x2010,
    0x2020,
    0x2030,
    0x3010,
    0x4020,
    0x5040,
    0x8020,
    0xC020,
    0xE020,
    0xE080,
)


def xbus(chance: random.Random) -> Feed:
    """Frames, items, layouts and clocks of one line that is never quiet."""
    parser, reader, clock = FrameParser(), Reader(), SensorClock(96)

    def content() -> bytes:
        data = struct.pack(">HBHHBI", 0x1020, 2, chance.randrange(1 << 16), 0x1060, 4, chance.randrange(1 << 32))
        for _ in range(chance.randrange(6)):
            kind = chance.choice(_KINDS) | chance.choice((0, 0, 0, chance.randrange(16)))
            size = chance.choice((2, 4, 8, 12, 12, 16, 24, 32, 36, chance.randrange(40)))
            data += struct.pack(">HB", kind, size) + chance.randbytes(size)
        return data

    def feed() -> None:
        whole = encode(chance.choice(sorted(BUS_IDS)), chance.choice((Mid.MT_DATA2, Mid.ERROR)), content())
        messages = parser.feed(broken(chance, whole))
        if chance.random() < 0.05:
            messages += parser.flush()
        assert len(parser.pending) <= 3000
        for message in messages:
            try:
                if message.mid == Mid.MT_DATA2:
                    xbus_data.decode(message.data)
                    reading = reader.read(message.data)
                    if reading is not None:
                        clock.place(reading.counter, reading.ticks)
            except HalError:
                continue

    return feed


def _bvh(chance: random.Random, parser: bvh_stream.BvhParser, whole: Callable[[], bytes]) -> Feed:
    def feed() -> None:
        for frame in parser.feed(broken(chance, whole())):
            bvh_stream.orientations(frame.angles)

    return feed


def bvh(chance: random.Random) -> Feed:
    """Binary frames."""

    def whole() -> bytes:
        displaced, reference = chance.randrange(2), chance.randrange(2)
        count = (354 if displaced else 180) + 6 * reference
        header = struct.pack("<H4sHBBI32sI12xH", 0xDDFF, b"\1\1\0\0", count, displaced, reference, chance.randrange(3),
                             b"name", chance.randrange(1 << 32), 0xEEFF)  # fmt: skip
        return header + chance.randbytes(4 * count)

    return _bvh(chance, bvh_stream.BinaryParser(), whole)


def bvh_text(chance: random.Random) -> Feed:
    """Frames of text."""
    pool = [_words(chance) for _ in range(500)]  # written once: writing a number takes longer than reading it

    def whole() -> bytes:
        words = list(chance.choice(pool))
        if chance.random() < 0.2 and words:
            words[chance.randrange(len(words))] = chance.choice(("nan", "inf", "1e999", "0x10", "--1", "1_0", "١"))
        return f"{chance.randrange(3)} name {' '.join(words)} ||".encode()

    return _bvh(chance, bvh_stream.TextParser(), whole)


def _words(chance: random.Random) -> list[str]:
    count = chance.choice((180, 186, 354, 360, chance.randrange(400)))
    return [f"{chance.uniform(-400, 400):.{chance.randrange(8)}f}" for _ in range(count)]
