"""From the file that a recording is in while it lasts to the one that is kept."""

from __future__ import annotations

import io
from pathlib import Path

from mcap.records import Channel, Message, Metadata
from mcap.writer import CompressionType, Writer

from appliance.errors import RecordingError
from appliance.recording.disk import open_recording, write_whole
from appliance.recording.mcap_records import records
from appliance.recording.mcap_topics import TopicWriter

_CHUNK = 1 << 18
"""Bytes before compression: about a second of 17 IMUs and a skeleton, so that damage costs no more than that."""
_UNFINISHED = ".part"


def unfinished(path: Path) -> Path:
    """The file that a recording at `path` is in until it is finished."""
    return path.with_name(path.name + _UNFINISHED)


def finish_session(part: Path) -> Path:
    """Turn an unfinished file, also one that a power cut left, into a finished one with all its complete records.

    Compressed by zstd in chunks with an index, so that viewers can seek in it. Raises `RecordingError`; `part` then
    stays as it is.
    """
    path = part.with_name(part.name.removesuffix(_UNFINISHED))
    packed = io.BytesIO()
    topics = TopicWriter(Writer(packed, chunk_size=_CHUNK, compression=CompressionType.ZSTD))
    names: dict[int, str] = {}
    begun = False
    with open_recording(part) as file:
        for record in records(file):
            if isinstance(record, Metadata) and not begun:
                topics.begin(record.metadata)
                begun = True
            elif isinstance(record, Channel):
                names[record.id] = record.topic
            elif isinstance(record, Message) and begun and record.channel_id in names:
                topics.add(names[record.channel_id], record.log_time, record.data)
    if not begun:
        raise RecordingError(f"{part}: was cut off before anything was recorded in it; delete it")
    topics.writer.finish()  # type: ignore[no-untyped-call]
    write_whole(path, packed.getvalue())
    part.unlink()
    return path
