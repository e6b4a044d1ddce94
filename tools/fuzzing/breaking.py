"""How a valid input is broken, and what must be said of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

_WORDS = (
    b"", b" ", b"\n", b",", b'"', b"{", b"[", b"\0", b"\xff\xfe", b"0", b"-1", b"nan", b"-inf", b"1e308", b"-1e999",
    b"99999999999999999999", b"null", b"true", b"\xd9\xa1",
)  # fmt: skip


def broken(chance: random.Random, valid: bytes, other: bytes = b"", weak: Sequence[tuple[int, int]] = ()) -> bytes:
    """The input cut, changed, repeated, moved, noisy or grown together with `other`; now and then as it was.

    weak: (begin, end) of places where a change tells more than anywhere; every second change is in one of them.
    """
    data = bytearray(valid)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data) + 1)
        if weak and chance.random() < 0.5:
            at = min(len(data), chance.randrange(*chance.choice(weak)))
        kind = chance.randrange(10)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[: min(at, len(data) // 2)]
        elif kind == 2 and at < len(data):
            data[at] = chance.choice((0x00, 0x7F, 0xFA, 0xFF, chance.randrange(256)))
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 4:
            data[at:at] = chance.randbytes(chance.randrange(1, 40))
        elif kind == 5:
            data += data[: chance.randrange(1, 200)]
        elif kind == 6:
            data[at:at] = data[at : at + chance.randrange(1, 2000)]
        elif kind == 7:
            data[at:] = (other or valid)[chance.randrange(len(other or valid) + 1) :]
        else:
            word = chance.choice(_WORDS)
            data[at : at + (len(word) if kind == 8 else chance.randrange(12))] = word
    return bytes(data)


def check_told(error: Exception, beginning: object) -> None:
    """An error is one line that begins with what it is about."""
    assert str(error).startswith(f"{beginning}"), error
    assert "\n" not in str(error), error
