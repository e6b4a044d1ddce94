"""How a valid input is broken."""

from __future__ import annotations

import random


def broken(chance: random.Random, valid: bytes) -> bytes:
    """The input cut, changed, repeated, moved or noisy; now and then as it was."""
    data = bytearray(valid)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[:at]
        elif kind == 2 and at < len(data):
            data[at] = chance.choice((0x00, 0x7F, 0xFA, 0xFF, chance.randrange(256)))
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 4:
            data[at:at] = chance.randbytes(chance.randrange(1, 40))
        else:
            data += data[: chance.randrange(1, 200)]
    return bytes(data)
