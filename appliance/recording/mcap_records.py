"""The complete records of an MCAP file that may have been cut at any byte, or be damaged in places."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, McapRecord, Message, Metadata
from mcap.stream_reader import CRCValidationError, breakup_chunk
from mcap.writer import MCAP0_MAGIC as MAGIC

_LARGEST_CHUNK = 1 << 26
"""Bytes; we write chunks of a quarter of a mebibyte. What says it unpacks to more means to eat the memory."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A record was here and cannot be read."""


def records(file: BinaryIO) -> Iterator[Channel | Message | Metadata | Damaged]:
    """Channels, messages (those in chunks too) and metadata in file order, up to the last complete record.

    The library's own reader takes a record cut short for a whole one; this one reads by the length that each
    record states. Other records (schemas, indexes) are passed over.
    """
    size = file.seek(0, 2)
    file.seek(len(MAGIC))
    while len(head := file.read(9)) == 9:
        opcode, length = struct.unpack("<BQ", head)
        if opcode == 0 or opcode == Opcode.DATA_END or file.tell() + length > size:
            return
        if opcode in (Opcode.CHANNEL, Opcode.MESSAGE, Opcode.METADATA, Opcode.CHUNK):
            yield from _parsed(opcode, file.read(length))
        else:
            file.seek(length, 1)


def _parsed(opcode: int, body: bytes) -> Iterator[Channel | Message | Metadata | Damaged]:
    try:
        found = _inside(opcode, body)
    except (McapError, CRCValidationError, zstandard.ZstdError, struct.error, ValueError, OverflowError):
        yield Damaged()
        return
    for record in found:
        if isinstance(record, Channel | Message | Metadata):
            yield record


def _inside(opcode: int, body: bytes) -> list[McapRecord]:
    stream = ReadDataStream(BytesIO(body))
    if opcode == Opcode.CHANNEL:
        return [Channel.read(stream)]
    if opcode == Opcode.MESSAGE:
        return [Message.read(stream, len(body))]
    if opcode == Opcode.METADATA:
        return [Metadata.read(stream)]
    chunk = Chunk.read(stream)
    unpacked = chunk.uncompressed_size
    if chunk.compression == "zstd":
        unpacked = max(unpacked, zstandard.get_frame_parameters(chunk.data).content_size)
    if unpacked > _LARGEST_CHUNK or chunk.compression not in ("", "zstd"):
        raise ValueError("a chunk beyond any that we write")
    return breakup_chunk(chunk, validate_crc=True)
