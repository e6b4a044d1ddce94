"""What must be known of a camera before it can be calibrated to another: who it is, its lens, how it stands. Ours."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from hal.camera.kinect_calibration import color_mode_of, parse_calibration
from hal.camera.kinect_tracks import TrackReader
from hal.camera.media import existing_file
from hal.camera.placement import MOST_FRAMES, Placement, measure_placement
from hal.errors import CalibrationError, StreamEndedError
from hal.protocols import Camera
from hal.registry import build_camera
from hal.types import Frame, Lens

LIVE = "kinect:"
_LARGEST_JSON = 1 << 20
_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """serial: as the maker gave it, "" where unknown. placement: None where only a calibration file was given."""

    serial: str
    lens: Lens
    placement: Placement | None = None

    @property
    def lens_sha256(self) -> str:
        """Tells whether a stored calibration was made with this lens: two devices never have the same."""
        return hashlib.sha256(json.dumps(astuple(self.lens)).encode()).hexdigest()


def read_known_camera(source: str, size: tuple[int, int]) -> KnownCamera:
    """`source`: a Kinect's calibration.json; its recording (MKV) from where it stands; or `kinect:SERIAL`, connected.

    size: (width, height) of the pictures, by which a calibration.json is read. Raises `CalibrationError` where the
    calibration is not for such pictures, and what the drivers raise.
    """
    if source.startswith(LIVE):
        serial = source.removeprefix(LIVE)
        known = _from_camera(serial, build_camera({"driver": "kinect", "serial": serial}), source)
    else:
        file = existing_file(Path(source))
        with file.open("rb") as stream:
            head = stream.read(_LARGEST_JSON)
        known = _from_json(file, head, size) if head.lstrip()[:1] == b"{" else _from_recording(file)
    if (known.lens.width, known.lens.height) != size:
        raise CalibrationError(
            f"{source}: the lens is known for {known.lens.width}x{known.lens.height}, the pictures are "
            f"{size[0]}x{size[1]}; take them in the same colour mode"
        )
    return known


def _from_json(file: Path, text: bytes, size: tuple[int, int]) -> KnownCamera:
    mode = color_mode_of(*size)
    if mode is None:
        raise CalibrationError(f"{file}: a Kinect has no colour pictures of {size[0]}x{size[1]}, as these are")
    try:
        calibration = parse_calibration(text, "NFOV_UNBINNED", mode)
    except ValueError as error:
        raise CalibrationError(f"{file}: {error}") from None
    return KnownCamera(calibration.serial, calibration.color)


def _from_recording(file: Path) -> KnownCamera:
    with contextlib.closing(TrackReader(file)) as reader:
        serial = reader.calibration.serial
    return _from_camera(serial, build_camera({"driver": "kinect_mkv", "file": file}), str(file))


def _from_camera(serial: str, camera: Camera, source: str) -> KnownCamera:
    with contextlib.closing(camera):
        camera.open()
        frames = list(_some_frames(camera))
    lens = next((frame.lens for frame in frames if frame.lens is not None), None)
    if lens is None:
        raise CalibrationError(f"{source}: no picture came from it")
    return KnownCamera(serial, lens, measure_placement(frames))


def _some_frames(camera: Camera) -> Iterator[Frame]:
    with contextlib.suppress(StreamEndedError):
        for _ in range(MOST_FRAMES):
            frame = camera.read(_WAIT_S)
            if frame is None:
                return
            yield frame
