"""The messages of a session file, to and from JSON; unknown numbers are null, since JSON has no NaN."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.views import ViewPlacement
from appliance.recording.session_format import (
    EVENTS_TOPIC,
    PLACEMENT_TOPIC,
    SECOND_SKELETON_TOPIC,
    SKELETON_TOPIC,
    ImuStream,
    SessionEvent,
    SkeletonFrame,
)
from appliance.skeleton.standard import JOINTS
from hal.types import ImuSample

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What a damaged message may raise on its way back."""

FARTHEST = 1e6
"""Metres; what lies farther is damage."""


def skeleton_message(frame: SkeletonFrame) -> bytes:
    """Rounded to 1e-6 m; null where a joint was not seen."""
    joints = [joint.tolist() if np.isfinite(joint).all() else None for joint in np.round(frame.positions, 6)]
    confidence = np.round(np.nan_to_num(frame.confidence), 4).tolist()
    stamps = {"stamp_ns": int(frame.stamp_ns), "host_ns": int(frame.host_ns)}
    return _json({**stamps, "positions": joints, "confidence": confidence})


def skeleton_of(data: bytes) -> SkeletonFrame:
    """The way back. Raises one of UNREADABLE where the message is none of ours."""
    message = json.loads(data)
    unseen = (np.nan, np.nan, np.nan)
    positions = np.array([unseen if joint is None else joint for joint in message["positions"]], np.float64)
    confidence = np.array(message["confidence"], np.float64)
    if positions.shape != (len(JOINTS), 3) or confidence.shape != (len(JOINTS),):
        raise ValueError("not seventeen joints")
    if np.any(np.abs(positions) > FARTHEST) or not np.all((confidence >= 0) & (confidence <= 1)):
        raise ValueError("beyond any position or confidence")
    stamp_ns, host_ns = np.array([message["stamp_ns"], message["host_ns"]], np.int64).tolist()
    return SkeletonFrame(stamp_ns, host_ns, positions, confidence)


def placement_message(host_ns: int, placement: ViewPlacement | None) -> bytes:
    """Null from when on the views are not to be joined."""
    if placement is None:
        return _json({"host_ns": int(host_ns), "rotation": None, "translation": None})
    rotation, translation = placement.rotation.tolist(), placement.translation.tolist()
    return _json({"host_ns": int(host_ns), "rotation": rotation, "translation": translation})


def placement_of_message(data: bytes) -> ViewPlacement | None:
    """The way back. Raises one of UNREADABLE where the message is none of ours."""
    message = json.loads(data)
    if message["rotation"] is None:
        return None
    rotation, translation = (np.array(message[name], np.float64) for name in ("rotation", "translation"))
    if rotation.shape != (3, 3) or translation.shape != (3,) or np.any(np.abs(translation) > FARTHEST):
        raise ValueError("not a place in space")
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6):
        raise ValueError("not a rotation")
    return ViewPlacement(rotation, translation)


def imu_message(samples: Sequence[ImuSample]) -> bytes:
    """A batch of one sensor's samples, as columns: a third of the bytes of an object a sample.

    Rounded to 1e-5 (m/s^2, rad/s, unit quaternion), below the noise of such sensors.
    """
    unknown = np.full(4, np.nan)
    orientation = [unknown if sample.orientation is None else sample.orientation for sample in samples]
    return _json(
        {
            "counter": [int(sample.counter) for sample in samples],
            "stamp_ns": [int(sample.stamp_ns) for sample in samples],
            "arrival_ns": [int(sample.arrival_ns) for sample in samples],
            "acceleration": _columns(np.array([sample.acceleration for sample in samples]), 5),
            "angular_velocity": _columns(np.array([sample.angular_velocity for sample in samples]), 5),
            "orientation": _columns(np.array(orientation), 5),
        }
    )


def imu_of(data: bytes) -> ImuStream:
    """The way back. Raises one of UNREADABLE where the message is none of ours."""
    message = json.loads(data)
    counter, stamp_ns, arrival_ns = (
        np.array(message[name], np.int64) for name in ("counter", "stamp_ns", "arrival_ns")
    )
    acceleration, angular_velocity, orientation = (
        np.array(message[name], np.float64) for name in ("acceleration", "angular_velocity", "orientation")
    )
    samples = (len(counter),)
    if stamp_ns.shape != samples or arrival_ns.shape != samples:
        raise ValueError("columns of different lengths")
    if not acceleration.shape == angular_velocity.shape == (*samples, 3) or orientation.shape != (*samples, 4):
        raise ValueError("not three axes and a quaternion")
    return ImuStream(counter, stamp_ns, arrival_ns, acceleration, angular_velocity, orientation)


def event_message(event: SessionEvent) -> bytes:
    return _json({"host_ns": int(event.host_ns), "kind": event.kind, "detail": dict(event.detail)})


def event_of(data: bytes) -> SessionEvent:
    """The way back. Raises one of UNREADABLE where the message is none of ours."""
    message = json.loads(data)
    return SessionEvent(int(message["host_ns"]), str(message["kind"]), dict(message["detail"]))


def _columns(values: NDArray[np.float64], digits: int) -> list[Any]:
    rounded: NDArray[Any] = np.round(values, digits)
    known = np.isfinite(values)
    if not known.all():
        rounded = rounded.astype(object)
        rounded[~known] = None
    columns: list[Any] = rounded.tolist()
    return columns


def _json(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def _array(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _object(properties: Mapping[str, Any]) -> bytes:
    return _json({"type": "object", "properties": properties, "required": list(properties)})


_INTEGER = {"type": "integer"}
_NUMBER = {"type": ["number", "null"]}
_VECTOR = {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 3, "maxItems": 3}

SCHEMAS = {
    "rehabbox.Skeleton": _object(
        {
            "stamp_ns": _INTEGER,
            "host_ns": _INTEGER,
            "positions": {
                "type": "array",
                "items": _VECTOR,
                "minItems": len(JOINTS),
                "maxItems": len(JOINTS),
                "description": f"metres; the joints are {', '.join(JOINTS)}",
            },
            "confidence": {**_array({"type": "number"}), "minItems": len(JOINTS), "maxItems": len(JOINTS)},
        }
    ),
    "rehabbox.Imu": _object(
        {
            **{name: _array(_INTEGER) for name in ("counter", "stamp_ns", "arrival_ns")},
            **{name: _array(_array(_NUMBER)) for name in ("acceleration", "angular_velocity", "orientation")},
        }
    ),
    "rehabbox.Placement": _object(
        {
            "host_ns": _INTEGER,
            "rotation": {"type": ["array", "null"], "items": _VECTOR, "minItems": 3, "maxItems": 3},
            "translation": {**_VECTOR, "description": "metres, in the first camera's axes"},
        }
    ),
    "rehabbox.Event": _object({"host_ns": _INTEGER, "kind": {"type": "string"}, "detail": {"type": "object"}}),
}
"""JSON Schema of each kind of message, by name, as MCAP keeps it."""


def schema_of(topic: str) -> str:
    """The name of the schema of a topic's messages."""
    kinds = {
        SKELETON_TOPIC: "rehabbox.Skeleton",
        SECOND_SKELETON_TOPIC: "rehabbox.Skeleton",
        PLACEMENT_TOPIC: "rehabbox.Placement",
        EVENTS_TOPIC: "rehabbox.Event",
    }
    return kinds.get(topic, "rehabbox.Imu")
