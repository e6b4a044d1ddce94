"""The session file of one set while it lasts: written as far as the disk takes it, else done without."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.errors import RecordingError
from appliance.fusion.views import ViewPlacement
from appliance.recording.session_writer import SessionWriter
from appliance.track import Skeleton
from hal.types import ImuSample


class SetFile:
    """Nothing is raised for a disk that refuses: `error` tells."""

    def __init__(self, open_file: Callable[[], SessionWriter]) -> None:
        self.error: str | None = None
        """Why the file is missing or ends early."""
        self._open_file = open_file
        self._writer: SessionWriter | None = None
        self._placement: ViewPlacement | None = None

    def begin(self) -> None:
        try:
            self._writer = self._open_file()
        except RecordingError as error:
            self.error = str(error)

    def add_skeleton(self, skeleton: Skeleton, host_ns: int) -> None:
        second = skeleton.camera == "second_camera"
        frame = skeleton.stamp_ns, host_ns, skeleton.positions, skeleton.confidence
        self._write(lambda writer: writer.add_skeleton(*frame, second=second))

    def add_imu(self, samples: Sequence[ImuSample]) -> None:
        self._write(lambda writer: writer.add_imu(samples))

    def add_placement(self, placement: ViewPlacement | None, host_ns: int) -> None:
        """Where the second camera stood in what was joined so far; None where it was not joined."""
        if placement is not self._placement:
            self._placement = placement
            self._write(lambda writer: writer.add_placement(host_ns, placement))

    def finish(self) -> None:
        self._write(SessionWriter.finish)
        self._writer = None

    def _write(self, write: Callable[[SessionWriter], object]) -> None:
        if self._writer is None:
            return
        try:
            write(self._writer)
        except RecordingError as error:
            self.error = str(error)
            self._writer.close()
            self._writer = None
