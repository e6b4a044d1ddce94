"""A camera that replays one performed set as fast as it is read: a plug-in of the box under test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from hal.errors import StreamEndedError
from hal.types import Body, Counters, DeviceInfo, Frame
from hal.virtual.patient import reference

EXERCISE, SIDE, REPETITIONS, TEMPO = "squat", "both", 1, 4.0


class QuickCamera:
    """The virtual instructor's own performance, frame by frame, then the end; each set anew."""

    capabilities: ClassVar[tuple[str, ...]] = ("body", "synthetic", "replay")

    class Options(BaseModel):
        """None."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, options: Options) -> None:
        self._times, self._positions = reference(EXERCISE, SIDE, REPETITIONS, tempo=TEMPO)
        self._index = 0

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("quick", "a set replayed in no time", 30.0, synthetic=True)

    @property
    def counters(self) -> Counters:
        return Counters()

    def open(self) -> None:
        self._index = 0

    def close(self) -> None:
        """Nothing to release."""

    def read(self, timeout_s: float) -> Frame | None:
        index = self._index
        if index >= len(self._times):
            raise StreamEndedError("the set is over")
        self._index += 1
        body = Body("standard_17", self._positions[index], self._positions[index, :, 0] * 0.0 + 1.0)
        return Frame(index, int(self._times[index] * 1e9), time.monotonic_ns(), body=body)


def install(folder: Path) -> dict[str, str]:
    """Installs it in a folder of its own; the environment in which a box finds it."""
    info = folder / "quick-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quick\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[rehabbox.drivers]\ncamera.quick = quick_camera:QuickCamera\n")
    return {"PYTHONPATH": f"{folder}:{Path(__file__).parent}"}
