"""Session files read back: finished, cut at any byte by a loss of power, or damaged in places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mcap.records import Channel, Message, Metadata

from appliance.errors import RecordingError
from appliance.recording.csv_table import LONGEST_S
from appliance.recording.disk import open_recording
from appliance.recording.mcap_records import Damaged, records
from appliance.recording.session_format import (
    EVENTS_TOPIC,
    FINISHED,
    IMU_TOPIC,
    METADATA,
    SKELETON_TOPIC,
    ImuStream,
    SessionEvent,
    SessionMetadata,
    SessionRecording,
    SkeletonFrame,
    metadata_of,
)
from appliance.recording.session_messages import UNREADABLE, event_of, imu_of, skeleton_of
from appliance.skeleton.standard import Recording, recording_of
from hal.types import SEGMENTS, Gravity


def read_session(path: Path) -> SessionRecording:
    """What is in a session file, up to its last complete record; `complete` tells whether it was finished.

    Frames whose stamp does not advance, or lies hours after the first, are left out. Raises `RecordingError` where not
    even the metadata is there.
    """
    metadata: SessionMetadata | None = None
    topics: dict[int, str] = {}
    frames: list[SkeletonFrame] = []
    batches: dict[str, list[ImuStream]] = defaultdict(list)
    events: list[SessionEvent] = []
    damaged = 0
    with open_recording(path) as file:
        for record in records(file):
            if isinstance(record, Metadata):
                if record.name == METADATA and metadata is None:
                    metadata = metadata_of(path, record.metadata)
            elif isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, Damaged):
                damaged += 1
            else:
                try:
                    _sort_in(topics.get(record.channel_id, ""), record, frames, batches, events)
                except UNREADABLE:
                    damaged += 1
    if metadata is None:
        raise RecordingError(f"{path}: is no session file, or was cut off before anything was recorded in it")
    advancing = _advancing(frames)
    return SessionRecording(
        metadata,
        _skeleton(advancing, metadata.gravity) if advancing else None,
        np.array([frame.stamp_ns for frame in advancing], np.int64),
        np.array([frame.host_ns for frame in advancing], np.int64),
        {segment: _joined(batches[segment]) for segment in SEGMENTS if segment in batches},
        tuple(event for event in events if event.kind != FINISHED),
        any(event.kind == FINISHED for event in events),
        damaged,
    )


def _sort_in(
    topic: str,
    record: Message,
    frames: list[SkeletonFrame],
    batches: Mapping[str, list[ImuStream]],
    events: list[SessionEvent],
) -> None:
    if topic == SKELETON_TOPIC:
        frames.append(skeleton_of(record.data))
    elif topic.startswith(IMU_TOPIC) and topic.removeprefix(IMU_TOPIC) in SEGMENTS:
        batch = imu_of(record.data)
        batches[topic.removeprefix(IMU_TOPIC)].append(batch)
    elif topic == EVENTS_TOPIC:
        events.append(event_of(record.data))


def _advancing(frames: Sequence[SkeletonFrame]) -> list[SkeletonFrame]:
    kept: list[SkeletonFrame] = []
    for frame in frames:
        if not kept or kept[-1].stamp_ns < frame.stamp_ns <= kept[0].stamp_ns + LONGEST_S * 1e9:
            kept.append(frame)
    return kept


def _skeleton(frames: Sequence[SkeletonFrame], gravity: Gravity) -> Recording:
    stamps = np.array([frame.stamp_ns for frame in frames], np.int64)
    positions = np.array([frame.positions for frame in frames])
    seen_z = positions[..., 2][np.isfinite(positions).all(axis=2)]
    planar = len(seen_z) > 0 and not seen_z.any()
    times = (stamps - stamps[0]) / 1e9
    return recording_of(
        times, positions, np.array([frame.confidence for frame in frames]), planar=planar, gravity=gravity
    )


def _joined(batches: Sequence[ImuStream]) -> ImuStream:
    return ImuStream(
        *(
            np.concatenate([getattr(batch, name) for batch in batches])
            for name in ("counter", "stamp_ns", "arrival_ns", "acceleration", "angular_velocity", "orientation")
        )
    )
