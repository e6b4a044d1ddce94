"""From a camera to a recording: every frame is kept, and a frame without a person says so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from appliance.pose import NO_PERSON, PoseResult, record_pose
from hal.errors import DeviceLostError, HalError, StreamEndedError
from hal.types import Absent, Body, DeviceInfo, Frame

BODY = Body("standard_17", np.arange(51.0).reshape(17, 3), np.full(17, 0.8))
UNSEEN = Body("standard_17", np.full((17, 3), np.nan), np.zeros(17))
FLAT = Body("coco_17", np.ones((17, 3)), np.ones(17), planar=True)


class ScriptedCamera:
    """A camera that delivers these frames; None stands for nothing in time, an error is raised."""

    info = DeviceInfo("scripted", "test", 10.0, gravity="accelerometer")

    def __init__(self, *script: Frame | HalError | None) -> None:
        self._script: Iterator[Frame | HalError | None] = iter(script)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, timeout_s: float) -> Frame | None:
        item = next(self._script, StreamEndedError("the end"))
        if isinstance(item, HalError):
            raise item
        return item


class BodyInFrame:
    """The estimator of a camera that tracks the body itself."""

    info = DeviceInfo("scripted", "test", 0.0)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def estimate(self, frame: Frame) -> Body | Absent:
        return frame.body or Absent("no_person", "nobody")


def frame(index: int, body: Body | None) -> Frame:
    return Frame(index, 5_000_000_000 + index * 100_000_000, 0, body=body)


def recorded(*script: Frame | HalError | None) -> PoseResult:
    return record_pose(ScriptedCamera(*script), BodyInFrame())


def test_times_are_the_devices_from_its_first_frame() -> None:
    result = recorded(frame(0, BODY), None, frame(1, BODY), frame(4, BODY))
    np.testing.assert_allclose(result.recording.times, [0, 0.1, 0.4])
    np.testing.assert_array_equal(result.recording.positions[2], BODY.positions)
    assert (result.recording.confidence == 0.8).all()
    assert result.recording.gravity == "accelerometer"


def test_a_frame_without_a_person_is_a_gap_with_a_reason() -> None:
    result = recorded(frame(0, None), frame(1, BODY), frame(2, UNSEEN))
    assert (result.frames, result.seen, result.reasons) == (3, 1, {NO_PERSON: 2})
    assert np.isnan(result.recording.positions[[0, 2]]).all()
    assert (result.recording.confidence[[0, 2]] == 0).all()
    assert np.isfinite(result.recording.positions[1]).all()


def test_a_flat_source_makes_a_flat_recording() -> None:
    assert recorded(frame(0, None), frame(1, FLAT)).recording.planar
    assert not recorded(frame(0, BODY)).recording.planar


def test_a_camera_that_delivers_nothing_makes_an_empty_recording() -> None:
    result = recorded()
    assert (result.frames, result.seen, result.reasons) == (0, 0, {})


def test_every_frame_is_announced_in_order() -> None:
    seen: list[int] = []
    record_pose(
        ScriptedCamera(frame(0, None), frame(1, BODY)), BodyInFrame(), on_frame=lambda frame: seen.append(frame.index)
    )
    assert seen == [0, 1]


def test_a_lost_camera_is_not_taken_for_the_end() -> None:
    with pytest.raises(DeviceLostError):
        recorded(frame(0, BODY), DeviceLostError("camera: unplugged"))
