"""A session file as FineRehab-style cuts: one for each repetition found, the sensors' orientations at its frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError, RecordingError
from appliance.fusion.orientation import track_of
from appliance.messages.prescription import Side
from appliance.recording.finerehab_json import Cut
from appliance.recording.session_format import ImuStream, SessionRecording
from appliance.recording.session_reader import read_session
from appliance.segmentation.repetitions import find_repetitions
from appliance.skeleton.standard import Recording
from appliance.sync.clocks import DeviceClock, in_order
from appliance.sync.grid import orientations_at


def cuts_of_session(path: Path) -> Iterator[Cut]:
    """The repetitions in a session file in order, or the whole set as one cut where none is found.

    Each cut's times begin at 0. Raises `RecordingError` where the file cannot be read or holds no skeleton.
    """
    session = read_session(path)
    recording = session.skeleton
    if recording is None or not (recording.confidence > 0).any():
        raise RecordingError(f"{path}: no joint was seen in it: there is nothing to export")
    spans = _repetitions(recording)
    sensors = _orientations(session)
    for number, (start_s, end_s) in enumerate(spans or [(-np.inf, np.inf)], 1):
        kept = (recording.times >= start_s) & (recording.times <= end_s)
        yield Cut(
            subject=session.metadata.subject,
            movement=session.metadata.exercise,
            side=cast(Side, session.metadata.side if session.metadata.side in get_args(Side) else "both"),
            number=number,
            recording=_from_zero(recording.between(start_s, end_s)),
            sensors={segment: orientations[kept] for segment, orientations in sensors.items()},
        )


def _from_zero(recording: Recording) -> Recording:
    return replace(recording, times=recording.times - recording.times[0])


def _repetitions(recording: Recording) -> list[tuple[float, float]]:
    try:
        found = find_repetitions(recording)
    except NotScorableError:
        return []
    return [(repetition.start_s, repetition.end_s) for repetition in found if repetition.complete]


def _orientations(session: SessionRecording) -> Mapping[str, NDArray[np.float64]]:
    """(frames, 4) of each sensor at the camera's frames: its own orientation, or by VQF from its raw signals."""
    at, found = session.host_ns / 1e9, {}
    for segment, stream in session.imu.items():
        times, order = _host_times(stream)
        signals = stream.acceleration[order], stream.angular_velocity[order], stream.orientation[order]
        track = track_of(times, *signals)
        if track is not None:
            found[segment] = orientations_at(track.times, track.orientation, at)
    return found


def _host_times(stream: ImuStream) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """When the samples were, host clock, seconds, increasing, as known when the set was over; and which these are."""
    clock, placed = DeviceClock(), []
    for stamp_ns, arrival_ns in zip(stream.stamp_ns.tolist(), stream.arrival_ns.tolist(), strict=True):
        clock.update(stamp_ns, arrival_ns)
        placed.append(clock.placed(stamp_ns))
    return in_order(placed)
