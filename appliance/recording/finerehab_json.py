"""FineRehab-style JSON: one cut (a repetition, or a whole set) of one subject's movement.

FineRehab's (CVPRW 2024): that a file holds per frame a time stamp, ids, the positions of 17 joints and the sensors'
quaternions; `SideID`; and the file's name `Subject_Movement+Side_CutNN.json`. The published layout is not at hand in
full, so the rest is ours: the other keys' names, units (seconds, metres, w x y z), the joints' order and axes (the
standard skeleton's), the numbers of the sides, `Confidence`, and null for a joint that was not seen. Colour and depth
pictures are left out on purpose: see docs/finerehab.md.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import RecordingError
from appliance.messages.prescription import Side
from appliance.recording.csv_table import LONGEST_S
from appliance.recording.disk import open_recording, write_whole
from appliance.recording.skeleton_csv import FARTHEST, MOST_FRAMES
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from hal.types import SEGMENTS, Gravity

FORMAT = "FineRehab-style 1"
SIDE_IDS: Mapping[Side, int] = {"left": 0, "right": 1, "both": 2}
MOST_BYTES = 1 << 28

Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Component = Annotated[float, Field(ge=-1.001, le=1.001, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Cut:
    """What one file holds. sensors: by segment of `hal.types.SEGMENTS`, (frames, 4) unit quaternions w, x, y, z from
    sensor to world at the frames' times, NaN where unknown. number: counts a subject's cuts of one movement from 1."""

    subject: str
    movement: str
    side: Side
    number: int
    recording: Recording
    sensors: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """`Subject_Movement+Side_CutNN.json`; what would not do in a file's name, or part its parts, is a hyphen."""
        return f"{self._of_movement}{self.number:02d}.json"

    @property
    def _of_movement(self) -> str:
        return f"{plain(self.subject)}_{plain(self.movement)}+{self.side}_Cut"

    def after_those_in(self, folder: Path) -> Cut:
        """Counted on from the highest of the same name there, so that sessions collect in one folder."""
        names = (file.name.removeprefix(self._of_movement) for file in folder.glob(f"{self._of_movement}*.json"))
        numbers = (int(name) for name in (name.removesuffix(".json") for name in names) if name.isdecimal())
        return replace(self, number=self.number + max(numbers, default=0))


def plain(name: str) -> str:
    """A name as it stands in a file's name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.") or "unknown"


_Id = Annotated[str, Field(coerce_numbers_to_str=True)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Joint(_Model):
    JointID: Annotated[int, Field(ge=0, lt=len(JOINTS))]
    Position: tuple[Coordinate, Coordinate, Coordinate] | None
    Confidence: Annotated[float, Field(ge=0, le=1)] = 1.0


class _Sensor(_Model):
    SensorID: Annotated[int, Field(ge=0, lt=len(SEGMENTS))]
    Orientation: tuple[Component, Component, Component, Component] | None


class _Frame(_Model):
    Timestamp: Annotated[float, Field(allow_inf_nan=False)]
    Joints: Annotated[tuple[_Joint, ...], Field(max_length=len(JOINTS))]
    Sensors: Annotated[tuple[_Sensor, ...], Field(max_length=len(SEGMENTS))] = ()


class _Document(_Model):
    Format: Literal["FineRehab-style 1"]
    SubjectID: _Id
    MovementID: _Id
    SideID: Annotated[int, Field(ge=0, lt=len(SIDE_IDS))]
    CutID: Annotated[int, Field(ge=0)]
    Planar: bool = False
    Gravity: Gravity = "camera"
    Frames: Annotated[tuple[_Frame, ...], Field(min_length=1, max_length=MOST_FRAMES)]


def write_finerehab(folder: Path, cut: Cut) -> Path:
    """Write `cut` under its name into `folder`, whole or not at all; gives the file. Raises `RecordingError`."""
    recording = cut.recording
    document = {
        "Format": FORMAT,
        "SubjectID": cut.subject,
        "MovementID": cut.movement,
        "SideID": SIDE_IDS[cut.side],
        "CutID": cut.number,
        "Planar": recording.planar,
        "Gravity": recording.gravity,
        "JointNames": JOINTS,
        "SensorNames": SEGMENTS,
        "Frames": [
            {
                "FrameID": index,
                "Timestamp": round(float(recording.times[index]), 6),
                "Joints": [
                    {
                        "JointID": joint,
                        "Position": _numbers(recording.positions[index, joint]),
                        "Confidence": round(float(recording.confidence[index, joint]), 4),
                    }
                    for joint in range(len(JOINTS))
                ],
                "Sensors": [
                    {"SensorID": SEGMENTS.index(segment), "Orientation": _numbers(orientations[index])}
                    for segment, orientations in cut.sensors.items()
                ],
            }
            for index in range(len(recording))
        ],
    }
    path = folder / cut.file_name
    write_whole(path, json.dumps(document, allow_nan=False).encode())
    return path


def read_finerehab(path: Path) -> Cut:
    """Raises `RecordingError`: one line that names the file, and the frame and field where one is wrong."""
    with open_recording(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise RecordingError(f"{path}: is larger than {MOST_BYTES >> 20} MiB; a cut is one repetition or one set")
    try:
        document = _Document.model_validate_json(data.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordingError(f"{path}: is no {FORMAT} file: {where + ': ' if where else ''}{first['msg']}") from None
    return Cut(
        subject=document.SubjectID,
        movement=document.MovementID,
        side=next(side for side, number in SIDE_IDS.items() if number == document.SideID),
        number=document.CutID,
        recording=_recording(path, document),
        sensors=_sensors(document),
    )


def _recording(path: Path, document: _Document) -> Recording:
    frames = document.Frames
    times = np.array([frame.Timestamp for frame in frames])
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        raise RecordingError(f"{path}: Frames.{late[0] + 1}.Timestamp is not after the one before it")
    if times[-1] - times[0] > LONGEST_S:
        raise RecordingError(f"{path}: goes on beyond two hours; is Timestamp in seconds?")
    positions = np.full((len(frames), len(JOINTS), 3), np.nan)
    confidence = np.zeros((len(frames), len(JOINTS)))
    for index, frame in enumerate(frames):
        if len({joint.JointID for joint in frame.Joints}) < len(frame.Joints):
            raise RecordingError(f"{path}: Frames.{index}.Joints holds a JointID more than once")
        for joint in frame.Joints:
            if joint.Position is not None:
                positions[index, joint.JointID] = joint.Position
                confidence[index, joint.JointID] = joint.Confidence
    if not (confidence > 0).any():
        raise RecordingError(f"{path}: no joint was seen in any of its {len(frames)} frames")
    return recording_of(times, positions, confidence, planar=document.Planar, gravity=document.Gravity)


def _sensors(document: _Document) -> dict[str, NDArray[np.float64]]:
    sensors: dict[str, NDArray[np.float64]] = {}
    for index, frame in enumerate(document.Frames):
        for sensor in frame.Sensors:
            rows = sensors.setdefault(SEGMENTS[sensor.SensorID], np.full((len(document.Frames), 4), np.nan))
            if sensor.Orientation is not None:
                rows[index] = sensor.Orientation
    return sensors


def _numbers(row: NDArray[np.float64]) -> list[float] | None:
    """Micrometres; null where any of them is unknown."""
    return [round(value, 6) for value in row.tolist()] if np.isfinite(row).all() else None
