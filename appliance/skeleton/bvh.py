"""BVH motion files (motion capture suits, Axis Neuron, Mixamo, CMU) to the standard skeleton.

The format is the usual one: HIERARCHY with OFFSET and CHANNELS in any order, then MOTION, angles in degrees; y is up
and the rest pose faces +z, x to its left, which are the standard axes already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.errors import RecordingError
from appliance.skeleton.bvh_names import standard_weights
from appliance.skeleton.standard import Recording, recording_of

_LONGEST_S = 2 * 3600.0
"""As for every recording: what says it is longer has its times in another unit."""

METRES = {"m": 1.0, "cm": 0.01, "inch": 0.0254}
_CHANNELS = tuple(axis + kind for kind in ("position", "rotation") for axis in "XYZ")
_DEEPEST = 256


@dataclass(frozen=True, slots=True)
class BvhJoint:
    """parent: index, -1 for the root. offset: (3,) file units. channels: as listed, applied in that order."""

    name: str
    parent: int
    offset: NDArray[np.float64]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bvh:
    """joints: parents before children, without end sites. motion: (frames, all channels), file units and degrees."""

    joints: tuple[BvhJoint, ...]
    frame_time_s: float
    motion: NDArray[np.float64]


def read_bvh(path: Path, unit: Literal["m", "cm", "inch"] = "cm") -> Recording:
    """The motion in `path` as a recording. `unit`: of the file's lengths, which the format does not say.

    Raises `RecordingError` naming the file and what is wrong: missing, not BVH, cut short, a joint that is not there.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        bvh = parse_bvh(text)
        weights = standard_weights([joint.name for joint in bvh.joints])
    except ValueError as error:
        raise RecordingError(f"{path}: {error}") from None
    times = np.arange(len(bvh.motion)) * bvh.frame_time_s
    return recording_of(times, weights @ joint_positions(bvh) * METRES[unit])


def parse_bvh(text: str) -> Bvh:
    """Raises `ValueError` saying what is wrong, and where it can, at which word."""
    head, found, tail = text.partition("MOTION")
    words = iter(head.split())
    if next(words, "") != "HIERARCHY":
        raise ValueError("is not a BVH file: it does not begin with HIERARCHY")
    joints: list[BvhJoint] = []
    _expect(words, "ROOT")
    _read_joint(words, -1, joints)
    if not found:
        raise ValueError("has no MOTION; is it cut short?")
    width = sum(len(joint.channels) for joint in joints)
    return Bvh(tuple(joints), *_read_motion(iter(tail.split()), width))


def joint_positions(bvh: Bvh) -> NDArray[np.float64]:
    """(frames, joints, 3) in file units, by forward kinematics over all frames at once.

    A joint's position channels replace its offset: exports "with displacement" list the bone's length again there.
    """
    frames = len(bvh.motion)
    positions = np.empty((frames, len(bvh.joints), 3))
    rotations: list[NDArray[np.float64]] = []
    column = 0
    for index, joint in enumerate(bvh.joints):
        local = np.tile(joint.offset, (frames, 1))
        turn = np.broadcast_to(np.eye(3), (frames, 3, 3))
        for channel in joint.channels:
            axis, values = "XYZ".index(channel[0]), bvh.motion[:, column]
            if channel.endswith("position"):
                local[:, axis] = values
            else:
                turn = turn @ _rotation(axis, np.radians(values))
            column += 1
        if joint.parent < 0:
            positions[:, index] = local
        else:
            parent = rotations[joint.parent]
            positions[:, index] = positions[:, joint.parent] + np.einsum("fij,fj->fi", parent, local)
            turn = parent @ turn
        rotations.append(turn)
    return positions


def _rotation(axis: int, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(frames, 3, 3) right-handed turns about a coordinate axis; angles in radians."""
    second, third = (axis + 1) % 3, (axis + 2) % 3
    matrices = np.zeros((len(angles), 3, 3))
    matrices[:, axis, axis] = 1
    matrices[:, second, second] = matrices[:, third, third] = np.cos(angles)
    matrices[:, third, second] = np.sin(angles)
    matrices[:, second, third] = -np.sin(angles)
    return matrices


def _read_joint(words: Iterator[str], parent: int, joints: list[BvhJoint], depth: int = 0) -> None:
    """Read `name { OFFSET ... CHANNELS ... children }` and append it and its children to `joints`."""
    if depth > _DEEPEST:
        raise ValueError(f"its joints are nested deeper than {_DEEPEST}")
    name = _word(words)
    _expect(words, "{")
    _expect(words, "OFFSET")
    offset = np.array([_number(words) for _ in range(3)])
    index = len(joints)
    joints.append(BvhJoint(name, parent, offset, _read_channels(words, name)))
    while (word := _word(words)) != "}":
        if word == "JOINT":
            _read_joint(words, index, joints, depth + 1)
        elif word == "End":
            while _word(words) != "}":  # an end site only draws the last bone
                pass
        else:
            raise ValueError(f"joint {name!r}: expected JOINT, End Site or a closing brace, found {word[:40]!r}")


def _read_channels(words: Iterator[str], name: str) -> tuple[str, ...]:
    _expect(words, "CHANNELS")
    count = _number(words)
    if count not in range(len(_CHANNELS) + 1):
        raise ValueError(f"joint {name!r}: has {count:g} channels")
    channels = tuple(_word(words) for _ in range(int(count)))
    odd = next((channel for channel in channels if channel not in _CHANNELS), None)
    if odd or len(set(channels)) < len(channels):
        raise ValueError(f"joint {name!r}: its channels are {' '.join(channels)[:80]!r}, not of {', '.join(_CHANNELS)}")
    return channels


def _read_motion(words: Iterator[str], width: int) -> tuple[float, NDArray[np.float64]]:
    """The frame time and (frames, width) values."""
    _expect(words, "Frames:")
    frames = _number(words)
    _expect(words, "Frame")
    _expect(words, "Time:")
    frame_time_s = _number(words)
    if frames < 1 or frame_time_s <= 0:
        raise ValueError(f"says it has {frames:g} frames of {frame_time_s:g} s")
    if frames * frame_time_s > _LONGEST_S:
        raise ValueError("goes on beyond two hours; is its Frame Time in seconds?")
    try:
        values = np.array(list(words), np.float64)
    except ValueError as error:
        raise ValueError(f"a value of its MOTION is not a number: {error}") from None
    if len(values) != frames * width:
        raise ValueError(f"says {frames:g} frames of {width} values, holds {len(values)} values; is it cut short?")
    if not np.isfinite(values).all():
        raise ValueError("a value of its MOTION is not finite")
    return frame_time_s, values.reshape(-1, width)


def _word(words: Iterator[str]) -> str:
    word = next(words, None)
    if word is None:
        raise ValueError("its HIERARCHY is cut short")
    return word


def _expect(words: Iterator[str], wanted: str) -> None:
    if (word := _word(words)) != wanted:
        raise ValueError(f"expected {wanted}, found {word[:40]!r}")


def _number(words: Iterator[str]) -> float:
    word = _word(words)
    try:
        number = float(word)
    except ValueError:
        raise ValueError(f"expected a number, found {word[:40]!r}") from None
    if not np.isfinite(number):
        raise ValueError(f"expected a number, found {word!r}")
    return number
