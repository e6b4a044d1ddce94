"""Session files read back: finished, cut at any byte by a loss of power, or damaged in places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mcap.records import Channel, Message, Metadata
from numpy.typing import NDArray

from appliance.errors import RecordingError
from appliance.fusion.views import View, ViewPlacement, join_views
from appliance.recording.csv_table import LONGEST_S
from appliance.recording.disk import open_recording
from appliance.recording.mcap_records import Damaged, records
from appliance.recording.session_format import (
    EVENTS_TOPIC,
    FINISHED,
    IMU_TOPIC,
    METADATA,
    PLACEMENT_TOPIC,
    SECOND_SKELETON_TOPIC,
    SKELETON_TOPIC,
    ImuStream,
    SessionEvent,
    SessionMetadata,
    SessionRecording,
    SkeletonFrame,
    metadata_of,
)
from appliance.recording.session_messages import UNREADABLE, event_of, imu_of, placement_of_message, skeleton_of
from appliance.skeleton.standard import Recording, recording_of
from hal.types import SEGMENTS, Gravity

Integers = NDArray[np.int64]


def read_session(path: Path) -> SessionRecording:
    """What is in a session file, up to its last complete record; `complete` tells whether it was finished.

    Frames whose stamp does not advance, or lies hours after the first, are left out. Raises `RecordingError` where not
    even the metadata is there.
    """
    metadata: SessionMetadata | None = None
    topics: dict[int, str] = {}
    found = _Found()
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
                    found.sort_in(topics.get(record.channel_id, ""), record)
                except UNREADABLE:
                    damaged += 1
    if metadata is None:
        raise RecordingError(f"{path}: is no session file, or was cut off before anything was recorded in it")
    tracks = [_advancing(frames) for frames in (found.frames, found.second_frames) if frames]
    views = tuple(_view(frames, metadata.gravity) for frames in tracks)
    joined, stamp_ns, host_ns = _joined_views(views, tracks, found.placement)
    return SessionRecording(
        metadata,
        joined,
        stamp_ns,
        host_ns,
        views,
        found.placement,
        {segment: _joined(found.batches[segment]) for segment in SEGMENTS if segment in found.batches},
        tuple(event for event in found.events if event.kind != FINISHED),
        any(event.kind == FINISHED for event in found.events),
        damaged,
    )


@dataclass
class _Found:
    """Messages by what they are, as they are read."""

    frames: list[SkeletonFrame] = field(default_factory=list)
    second_frames: list[SkeletonFrame] = field(default_factory=list)
    placement: ViewPlacement | None = None
    batches: dict[str, list[ImuStream]] = field(default_factory=lambda: defaultdict(list))
    events: list[SessionEvent] = field(default_factory=list)

    def sort_in(self, topic: str, record: Message) -> None:
        if topic == SKELETON_TOPIC:
            self.frames.append(skeleton_of(record.data))
        elif topic == SECOND_SKELETON_TOPIC:
            self.second_frames.append(skeleton_of(record.data))
        elif topic == PLACEMENT_TOPIC:
            self.placement = placement_of_message(record.data)
        elif topic.startswith(IMU_TOPIC) and topic.removeprefix(IMU_TOPIC) in SEGMENTS:
            batch = imu_of(record.data)
            self.batches[topic.removeprefix(IMU_TOPIC)].append(batch)
        elif topic == EVENTS_TOPIC:
            self.events.append(event_of(record.data))


def _joined_views(
    views: Sequence[View], tracks: Sequence[Sequence[SkeletonFrame]], placement: ViewPlacement | None
) -> tuple[Recording | None, Integers, Integers]:
    """The skeleton, and its frames' times on the camera's clock and on the host's."""
    if not views:
        return None, np.zeros(0, np.int64), np.zeros(0, np.int64)
    joined = views[0]
    if len(views) > 1:
        try:
            joined = join_views(views[0], views[1], placement)
        except ValueError:  # damage: times that do not increase tell nothing of what was seen at one moment
            joined = join_views(views[0], views[1], None)
    for view, frames in zip(views, tracks, strict=True):
        if joined is view:
            stamps = [(frame.stamp_ns, frame.host_ns) for frame in frames]
            stamp_ns, host_ns = np.array(stamps, np.int64).T
            return view.recording, stamp_ns, host_ns
    stamp_ns = tracks[0][0].stamp_ns + np.round(joined.recording.times * 1e9).astype(np.int64)
    return joined.recording, stamp_ns, np.round(joined.host_s * 1e9).astype(np.int64)


def _advancing(frames: Sequence[SkeletonFrame]) -> list[SkeletonFrame]:
    kept: list[SkeletonFrame] = []
    for frame in frames:
        if not kept or kept[-1].stamp_ns < frame.stamp_ns <= kept[0].stamp_ns + LONGEST_S * 1e9:
            kept.append(frame)
    return kept


def _view(frames: Sequence[SkeletonFrame], gravity: Gravity) -> View:
    stamps = np.array([frame.stamp_ns for frame in frames], np.int64)
    positions = np.array([frame.positions for frame in frames])
    seen_z = positions[..., 2][np.isfinite(positions).all(axis=2)]
    planar = len(seen_z) > 0 and not seen_z.any()
    times = (stamps - stamps[0]) / 1e9
    confidence = np.array([frame.confidence for frame in frames])
    return View(
        recording_of(times, positions, confidence, planar=planar, gravity=gravity),
        np.array([frame.host_ns for frame in frames], np.int64) / 1e9,
    )


def _joined(batches: Sequence[ImuStream]) -> ImuStream:
    return ImuStream(
        *(
            np.concatenate([getattr(batch, name) for batch in batches])
            for name in ("counter", "stamp_ns", "arrival_ns", "acceleration", "angular_velocity", "orientation")
        )
    )
