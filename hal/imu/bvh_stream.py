"""The BVH broadcast of Noitom's Axis Neuron and Axis Studio: bytes to frames, frames to orientations. No I/O.

Source: Noitom, "Neuron Data Reader Runtime API Documentation": 59 joints a frame in a fixed order, as text that ends in
"||" or as 32-bit values behind a 64-byte header. Public programmes that read the broadcast agree on the header, on the
order of the joints, and on 180 values without and 354 with displacement. Not tried on a suit.

A joint's values are its displacement (cm; the root's position) and three angles in degrees, applied in the order that
the programme's output settings name (YXZ by default); without displacement only the root keeps its position. A frame
may begin with six values of a reference, all zero. Axes: y up, z where the person faced at calibration.
"""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hal.imu.mounting import product

Floats = NDArray[np.float64]
AngleOrder = Literal["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"]

JOINTS = 59
_REFERENCE = 6
_PLAIN = 3 + 3 * JOINTS
_DISPLACED = 6 * JOINTS
_COUNTS = (_PLAIN, _DISPLACED, _PLAIN + _REFERENCE, _DISPLACED + _REFERENCE)
LONGEST_TEXT = 16384
"""No frame of text is longer: 360 values of at most 40 characters, and a name."""


class BvhFrame(NamedTuple):
    """One frame of one avatar.

    frame_index: the sender's frame counter; None in text, which has none.
    angles: (59, 3) degrees, in the sender's order.
    """

    avatar: int
    frame_index: int | None
    angles: Floats


class BvhParser(Protocol):
    """Cuts a stream into frames; what is none is dropped and counted."""

    frames: int
    malformed: int
    discarded_bytes: int

    def feed(self, data: bytes) -> list[BvhFrame]:
        """The frames that these bytes complete, in order."""
        ...


class TextParser:
    """Frames "avatar name value value ... ||"; the name, or both, may be left out. A name may be several words,
    of which the last is no number.

    Text has no mark where a frame begins: behind a frame that was cut short, the next is found by counting its values
    from its end.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.malformed = 0
        self.discarded_bytes = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[BvhFrame]:
        """See `BvhParser`."""
        *texts, self._rest = (self._rest + data).split(b"||")
        if len(self._rest) > LONGEST_TEXT:
            self.discarded_bytes += len(self._rest)
            self.malformed += 1
            self._rest = b""
        found: list[BvhFrame] = []
        for text in texts:
            words = text.split()
            frame = _text_frame(words)
            if frame is not None:
                found.append(frame)
            elif words:
                self.malformed += 1
                self.discarded_bytes += len(text) + 2
        self.frames += len(found)
        return found


def _text_frame(words: list[bytes]) -> BvhFrame | None:
    if len(words) in _COUNTS and (bare := _from_words(0, words)) is not None:
        return bare
    for count in reversed(_COUNTS):
        name_end = len(words) - count
        at = name_end - 1
        while at >= 0 and not _is_number(words[at]):
            at -= 1
        if at < 0 or at == name_end - 1 > 0:
            continue
        # Behind a frame that was cut short the avatar's digit hangs on the last value of that frame.
        avatar = words[0] if at == 0 else words[at][-1:]
        if avatar.isdigit() and len(avatar) < 9 and (frame := _from_words(int(avatar), words[-count:])) is not None:
            return frame
    return None


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _from_words(avatar: int, words: list[bytes]) -> BvhFrame | None:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        return None
    return _frame(avatar, None, values)


def _frame(avatar: int, index: int | None, numbers: NDArray[np.float32] | Floats) -> BvhFrame | None:
    if not np.isfinite(numbers).all():
        return None
    values = numbers.astype(np.float64)
    if len(values) in (_PLAIN + _REFERENCE, _DISPLACED + _REFERENCE):
        values = values[_REFERENCE:]
    if len(values) == _DISPLACED:
        return BvhFrame(avatar, index, values.reshape(JOINTS, 6)[:, 3:])
    return BvhFrame(avatar, index, values[3:].reshape(JOINTS, 3))


_HEADER = struct.Struct("<H4sHBBI32sI12xH")
_BEGIN = b"\xff\xdd"
_TOKENS = (0xDDFF, 0xEEFF)


class BinaryParser:
    """Frames of a 64-byte header between two tokens, then the values as little-endian 32-bit floats."""

    def __init__(self) -> None:
        self.frames = 0
        self.malformed = 0
        self.discarded_bytes = 0
        self._rest = b""

    def feed(self, data: bytes) -> list[BvhFrame]:
        """See `BvhParser`."""
        buffer = self._rest + data
        found: list[BvhFrame] = []
        consumed = at = 0
        while (at := buffer.find(_BEGIN, at)) >= 0 and len(buffer) - at >= _HEADER.size:
            begin, _, count, displaced, reference, avatar, _, index, end = _HEADER.unpack_from(buffer, at)
            expected = (_DISPLACED if displaced else _PLAIN) + (_REFERENCE if reference else 0)
            if (begin, end) != _TOKENS or count != expected:
                at += 1
                continue
            stop = at + _HEADER.size + 4 * count
            if stop > len(buffer):
                break
            values = np.frombuffer(buffer, "<f4", count, at + _HEADER.size)
            frame = _frame(avatar, index, values)
            if frame is None or _BEGIN + buffer[at + 2 : at + 6] in buffer[at + 6 : stop]:
                # Damaged, or cut short with the next header inside: only this token is wrong.
                self.malformed += 1
                at += 1
                continue
            self.discarded_bytes += at - consumed
            found.append(frame)
            at = consumed = stop
        keep = at if at >= 0 else max(consumed, len(buffer) - 1 if buffer.endswith(_BEGIN[:1]) else len(buffer))
        self.discarded_bytes += keep - consumed
        self._rest = buffer[keep:]
        self.frames += len(found)
        return found


# Hips, three of the right leg, three of the left, three of the spine; index 10 is the fourth of the spine or the first
# of the neck (suits differ), 11 the neck, 12 the head; then the right arm from its shoulder, 19 joints of its hand, and
# the same on the left. Only what leads to a segment is needed.
_PARENT = {
    0: -1, 1: 0, 2: 1, 3: 2, 4: 0, 5: 4, 6: 5, 7: 0, 8: 7, 9: 8, 10: 9, 11: 10, 12: 11,
    13: 9, 14: 13, 15: 14, 16: 15, 36: 9, 37: 36, 38: 37, 39: 38,
}  # fmt: skip
JOINT_OF_SEGMENT = {
    "head": 12,
    "left_shoulder_blade": 36, "right_shoulder_blade": 13,
    "upper_back": 9, "lower_back": 0,
    "left_arm": 37, "right_arm": 14,
    "left_forearm": 38, "right_forearm": 15,
    "left_hand": 39, "right_hand": 16,
    "left_thigh": 4, "right_thigh": 1,
    "left_calf": 5, "right_calf": 2,
    "left_foot": 6, "right_foot": 3,
}  # fmt: skip
"""Which joint's rotation carries which of FineRehab's segments."""


def orientations(angles: Floats, order: AngleOrder = "YXZ") -> dict[str, Floats]:
    """Unit quaternions w, x, y, z from segment to world (y up), by segment; with spread arms all are 1, 0, 0, 0.

    angles: (59, 3) degrees, each relative to the parent joint, in `order`.
    """
    local = np.zeros((JOINTS, 4))
    local[:, 0] = 1.0
    half = np.radians(angles) / 2
    for column, axis in enumerate(order):
        turn = np.zeros((JOINTS, 4))
        turn[:, 0] = np.cos(half[:, column])
        turn[:, 1 + "XYZ".index(axis)] = np.sin(half[:, column])
        local = product(local, turn)
    world: dict[int, Floats] = {}
    for joint, parent in _PARENT.items():
        world[joint] = local[joint] if parent < 0 else product(world[parent], local[joint])
    return {segment: world[joint] for segment, joint in JOINT_OF_SEGMENT.items()}


class Stillness:
    """Tells segments that no sensor measures: the broadcast does not say which sensors are there.

    A living joint never gives the same bits twice for long; one without its sensor stays as it last was, or at zero,
    while others change (ours; not tried on a suit).
    """

    def __init__(self, still_s: float) -> None:
        """still_s: so long without any change is no living joint."""
        self._still_s = still_s
        self._angles: Floats | None = None
        self._changed_s = np.zeros(JOINTS)

    def see(self, angles: Floats, time_s: float) -> None:
        """The next frame's angles, (59, 3)."""
        if self._angles is None:
            self._changed_s[:] = time_s
        else:
            self._changed_s[(angles != self._angles).any(axis=1)] = time_s
        self._angles = angles

    @property
    def still(self) -> tuple[str, ...]:
        """Segments that did not change for too long before the latest change of any."""
        latest_s = self._changed_s.max()
        return tuple(
            name for name, joint in JOINT_OF_SEGMENT.items() if self._changed_s[joint] < latest_s - self._still_s
        )
