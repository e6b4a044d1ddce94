"""Xbus messages: bytes on a line to messages and back, with resynchronisation. No I/O.

Source: Xsens, "MT Low Level Communication Protocol Documentation" (MT0101P), section "Message structure":
preamble FA, bus identifier, message identifier, length, data, checksum. A length of FF announces two more bytes that
hold the real one. The bytes from the bus identifier to the checksum sum to 0 modulo 256.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

PREAMBLE = 0xFA
MASTER = 0xFF
"""Bus identifier of an Xbus Master, or of a single MTi on its own line."""
EXTENDED = 0xFF
LONGEST_DATA = 2048
"""The protocol's limit; a longer claim is a false preamble."""

BUS_IDS = frozenset({MASTER, *range(1, 33)})
"""Who may speak on the bus; a master names its sensors from 1."""


class Mid(IntEnum):
    """Message identifiers. A reply carries its request's identifier plus one."""

    REQ_DEVICE_ID = 0x00
    INIT_BUS = 0x02
    SET_PERIOD = 0x04
    GO_TO_MEASUREMENT = 0x10
    REQ_FIRMWARE = 0x12
    GO_TO_CONFIG = 0x30
    MT_DATA = 0x32
    MT_DATA2 = 0x36
    WAKE_UP = 0x3E
    WAKE_UP_ACK = 0x3F
    RESET = 0x40
    ERROR = 0x42
    REQ_BATTERY_LEVEL = 0x88
    SET_OUTPUT_CONFIGURATION = 0xC0


_REQUESTS = (
    Mid.REQ_DEVICE_ID,
    Mid.INIT_BUS,
    Mid.SET_PERIOD,
    Mid.GO_TO_MEASUREMENT,
    Mid.REQ_FIRMWARE,
    Mid.GO_TO_CONFIG,
    Mid.REQ_BATTERY_LEVEL,
    Mid.SET_OUTPUT_CONFIGURATION,
)
FROM_DEVICE = frozenset({Mid.MT_DATA, Mid.MT_DATA2, Mid.WAKE_UP, Mid.ERROR, *(request + 1 for request in _REQUESTS)})
"""What a device sends us. Noise passes the checksum once in 256 times; a known identifier makes that rare enough."""


class Message(NamedTuple):
    """One message: who (`bus_id`), what (`mid`), and its data."""

    bus_id: int
    mid: int
    data: bytes


def encode(bus_id: int, mid: int, data: bytes = b"") -> bytes:
    """The bytes of one message, preamble to checksum."""
    length = bytes([len(data)]) if len(data) < EXTENDED else bytes([EXTENDED]) + len(data).to_bytes(2, "big")
    body = bytes([bus_id, mid]) + length + data
    return bytes([PREAMBLE]) + body + bytes([-sum(body) & 0xFF])


class FrameParser:
    """Cuts a stream of bytes into messages; what is no message is dropped and counted.

    A candidate that fails (unknown sender or identifier, impossible length, wrong checksum, items that do not add up)
    costs only its preamble byte: the search goes on right behind it, so no good message that follows, or lies inside,
    is lost. Memory is bounded by one longest message.
    """

    def __init__(self) -> None:
        self.messages = 0
        self.bad_checksums = 0
        """Candidates that looked right up to their checksum; one damaged message may hold several."""
        self.discarded_bytes = 0
        """Bytes that belong to no good message."""
        self._rest = b""

    @property
    def pending(self) -> bytes:
        """The beginning of a message that waits for its end."""
        return self._rest

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete, in order."""
        return self._scan(self._rest + data, final=False)

    def flush(self) -> list[Message]:
        """The line fell silent: what still waits for its end is none. Returns messages hidden behind it."""
        return self._scan(self._rest, final=True)

    def _scan(self, buffer: bytes, *, final: bool) -> list[Message]:
        found: list[Message] = []
        size = len(buffer)
        consumed = 0  # up to here every byte is either returned in a message or counted as discarded
        at = 0
        while (at := buffer.find(PREAMBLE, at)) >= 0:
            if size - at < 2:
                if final:
                    at = -1
                break
            if buffer[at + 1] not in BUS_IDS or (size - at > 2 and buffer[at + 2] not in FROM_DEVICE):
                at += 1
                continue
            start = at + 4
            if start < size and (length := buffer[at + 3]) == EXTENDED:
                start += 2
                length = int.from_bytes(buffer[at + 4 : at + 6], "big") if start <= size else 0
                if length > LONGEST_DATA:
                    at += 1
                    continue
            if start >= size or (end := start + length) >= size:
                if final:
                    at += 1
                    continue
                break
            if sum(buffer[at + 1 : end + 1]) & 0xFF:
                self.bad_checksums += 1
                at += 1
                continue
            if buffer[at + 2] == Mid.MT_DATA2 and not _items_add_up(buffer, start, end):
                at += 1
                continue
            self.discarded_bytes += at - consumed
            found.append(Message(buffer[at + 1], buffer[at + 2], buffer[start:end]))
            at = consumed = end + 1
        keep = size if at < 0 else at
        self.discarded_bytes += keep - consumed
        self._rest = buffer[keep:]
        self.messages += len(found)
        return found


def _items_add_up(buffer: bytes, start: int, end: int) -> bool:
    """Whether MTData2's items fill its data exactly: one chance match of the checksum in 256 is one too many."""
    while start + 2 < end:
        start += 3 + buffer[start + 2]
    return start == end
