"""An Azure Kinect's factory calibration: the JSON that the device and every recording carry."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from hal.types import Lens

DepthMode = Literal["NFOV_2X2BINNED", "NFOV_UNBINNED", "WFOV_2X2BINNED", "WFOV_UNBINNED"]
ColorMode = Literal["720P", "1080P", "1440P", "1536P", "2160P", "3072P"]

_DEPTH_MODES: dict[str, tuple[int, tuple[int, int], tuple[int, int]]] = {
    "NFOV_2X2BINNED": (512, (96, 90), (320, 288)),
    "NFOV_UNBINNED": (1024, (192, 180), (640, 576)),
    "WFOV_2X2BINNED": (512, (0, 0), (512, 512)),
    "WFOV_UNBINNED": (1024, (0, 0), (1024, 1024)),
}
"""Mode: pixels of the whole (binned) sensor a side, first column and row of the picture, its width and height."""

_COLOR_MODES: dict[str, tuple[int, int]] = {
    "720P": (1280, 720), "1080P": (1920, 1080), "1440P": (2560, 1440),
    "1536P": (2048, 1536), "2160P": (3840, 2160), "3072P": (4096, 3072),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KinectCalibration:
    """Both lenses in the modes used, and how the sensors sit to each other.

    rotation (3, 3) and translation (3,), metres: colour = rotation @ depth + translation.
    accelerometer, gyroscope: (3, 3), from the sensor's axes to the colour camera's.
    """

    serial: str
    depth: Lens
    color: Lens
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    accelerometer: NDArray[np.float64]
    gyroscope: NDArray[np.float64]


def parse_calibration(text: str | bytes, depth_mode: str, color_mode: str) -> KinectCalibration:
    """The calibration for a depth mode (`NFOV_UNBINNED`) and a colour mode (`720P`).

    Raises `ValueError` saying what is missing or out of range; the caller names the file or the device.
    """
    if depth_mode not in _DEPTH_MODES:
        raise ValueError(f"depth mode {depth_mode!r} gives no depth picture; use {', '.join(_DEPTH_MODES)}")
    if color_mode not in _COLOR_MODES:
        raise ValueError(f"colour mode {color_mode!r} is not known; use {', '.join(_COLOR_MODES)}")
    try:
        raw = text.decode("utf-8") if isinstance(text, bytes) else text
        known = json.loads(raw.rstrip("\0"))["CalibrationInformation"]
        depth_camera = _located(known["Cameras"], "Location", "CALIBRATION_CameraLocationD0")
        color_camera = _located(known["Cameras"], "Location", "CALIBRATION_CameraLocationPV0")
        sensors = known["InertialSensors"]
        rotation = _numbers(color_camera["Rt"]["Rotation"], 9).reshape(3, 3)
        translation = _numbers(color_camera["Rt"]["Translation"], 3)
        turns = [
            rotation @ _numbers(_located(sensors, "SensorType", kind)["Rt"]["Rotation"], 9).reshape(3, 3).T
            for kind in ("CALIBRATION_InertialSensorType_Accelerometer", "CALIBRATION_InertialSensorType_Gyro")
        ]
        depth_parameters = _parameters(depth_camera)
        color_parameters = _parameters(color_camera)
        serial = str(known.get("Metadata", {}).get("SerialId", ""))
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError, json.JSONDecodeError) as error:
        raise ValueError(f"the calibration is not an Azure Kinect's ({type(error).__name__}: {error})") from None
    if any(abs(abs(np.linalg.det(turn)) - 1) > 0.01 for turn in (rotation, *turns)):
        raise ValueError("the calibration's rotations are not rotations")
    return KinectCalibration(
        serial, _depth_lens(depth_parameters, depth_mode), _color_lens(color_parameters, color_mode),
        rotation, translation, turns[0], turns[1],
    )  # fmt: skip


def color_mode_of(width: int, height: int) -> str | None:
    """The colour mode that gives pictures of this size."""
    return next((mode for mode, size in _COLOR_MODES.items() if size == (width, height)), None)


def _located(entries: Any, key: str, value: str) -> dict[str, Any]:
    for entry in entries:
        if entry[key] == value:
            return cast(dict[str, Any], entry)
    raise KeyError(value)


def _numbers(values: Any, count: int) -> NDArray[np.float64]:
    if not isinstance(values, list) or len(values) != count or not all(type(value) in (int, float) for value in values):
        raise KeyError(f"{count} numbers expected")
    if not all(math.isfinite(value) and abs(value) < 1e6 for value in values):
        raise KeyError(f"{count} finite numbers expected")
    return np.array(values, np.float64)


def _parameters(camera: dict[str, Any]) -> NDArray[np.float64]:
    intrinsics = camera["Intrinsics"]
    if intrinsics["ModelType"] != "CALIBRATION_LensDistortionModelBrownConrady":
        raise KeyError(f"unknown lens model {intrinsics['ModelType']}")
    parameters = _numbers(intrinsics["ModelParameters"], 14)
    if not (0.05 < parameters[2] < 20 and 0.05 < parameters[3] < 20):
        raise KeyError("a focal length is out of range")
    return parameters


def _lens(
    parameters: NDArray[np.float64], scale: tuple[float, float], first: tuple[float, float], size: tuple[int, int]
) -> Lens:
    """Parameters are fractions of the whole sensor from its corner; a picture's (0, 0) is the middle of a pixel."""
    cx, cy, fx, fy, k1, k2, k3, k4, k5, k6, _, _, p2, p1 = map(float, parameters)
    centre = cx * scale[0] - first[0] - 0.5, cy * scale[1] - first[1] - 0.5
    return Lens(*size, (fx * scale[0], fy * scale[1]), centre, (k1, k2, p1, p2, k3, k4, k5, k6))


def _depth_lens(parameters: NDArray[np.float64], mode: str) -> Lens:
    side, first, size = _DEPTH_MODES[mode]
    return _lens(parameters, (side, side), first, size)


def _color_lens(parameters: NDArray[np.float64], mode: str) -> Lens:
    """The sensor is 4096 x 3072; the 16:9 modes use its middle 2304 rows."""
    width, height = _COLOR_MODES[mode]
    whole = width * 3 / 4
    return _lens(parameters, (width, whole), (0.0, (whole - height) / 2), (width, height))
