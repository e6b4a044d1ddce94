"""An Azure Kinect recording (Matroska) read with PyAV: no vendor's library needed.

Tracks by their tags: colour as JPEG, depth as 16-bit big-endian millimetres, the built-in sensor as 40-byte records in
a subtitle track, the factory calibration as an attachment. Device time is a packet's time plus `K4A_START_OFFSET_NS`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from hal.camera.kinect_assembler import Assembler
from hal.camera.kinect_calibration import KinectCalibration, parse_calibration
from hal.camera.kinect_frames import KinectCapture, KinectImu
from hal.camera.media import existing_file
from hal.errors import OtherFormatError, UnreadableRecordingError

_RECORD = struct.Struct("<Q3fQ3f")
_LATEST_NS = 1 << 62


def imu_records(packet: bytes) -> list[KinectImu]:
    """The whole records in one packet of the sensor's track; a remainder that is no whole record is dropped."""
    whole = packet[: len(packet) - len(packet) % _RECORD.size]
    return [
        KinectImu(stamp, (ax, ay, az), turn_stamp, (gx, gy, gz))
        for stamp, ax, ay, az, turn_stamp, gx, gy, gz in _RECORD.iter_unpack(whole)
        if max(stamp, turn_stamp) < _LATEST_NS
    ]


class TrackReader:
    """One pass through the file. Raises `DeviceNotFoundError`, `UnreadableRecordingError` when made."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._container = av.open(
                str(existing_file(file).absolute()),
                format="matroska",
                options={"format_whitelist": "matroska", "protocol_whitelist": "file"},
                metadata_errors="replace",
            )
        except PermissionError:
            raise UnreadableRecordingError(f"{file}: may not be read; check its permissions") from None
        except (FFmpegError, OSError):
            raise OtherFormatError(f"{file}: is not a Matroska file, or is cut short or damaged") from None
        try:
            self._read_head()
        except UnreadableRecordingError:
            self._container.close()
            raise

    def _read_head(self) -> None:
        tags = self._container.metadata
        tracks = {track: self._track(track) for track in ("COLOR", "DEPTH", "IMU")}
        color, depth, imu = tracks["COLOR"], tracks["DEPTH"], tracks["IMU"]
        if "K4A_START_OFFSET_NS" not in tags:
            raise OtherFormatError(f"{self._file}: is not an Azure Kinect recording")
        if color is None:
            raise UnreadableRecordingError(f"{self._file}: holds no colour track; record it with one")
        kind, _, color_mode = color.metadata.get("K4A_COLOR_MODE", "").partition("_")
        if kind != "MJPG":
            raise UnreadableRecordingError(f"{self._file}: the colour is {kind or 'unknown'}; record it as MJPG")
        depth_mode = "NFOV_UNBINNED" if depth is None else depth.metadata.get("K4A_DEPTH_MODE", "")
        self._tracks = {stream.index: name for name, stream in tracks.items() if stream is not None}
        self.has_imu = imu is not None
        self.depth_mode = None if depth is None else depth_mode
        self.rate_hz = float(color.average_rate or 0)
        try:
            self._offset_ns = int(tags["K4A_START_OFFSET_NS"])
            self._delay_ns = int(tags.get("K4A_DEPTH_DELAY_NS", "0"))
            self.calibration_text = self._attachment(tags.get("K4A_CALIBRATION_FILE", "calibration.json"))
            self.calibration: KinectCalibration = parse_calibration(self.calibration_text, depth_mode, color_mode)
        except ValueError as error:
            raise UnreadableRecordingError(f"{self._file}: {error}") from None
        if not 0 <= self._offset_ns < _LATEST_NS or abs(self._delay_ns) > 1_000_000_000:
            raise UnreadableRecordingError(f"{self._file}: its start or delay is out of range; the file is damaged")

    def _track(self, name: str) -> Any:
        for stream in self._container.streams:
            if stream.metadata.get("title") == name or f"K4A_{name}_TRACK" in stream.metadata:
                return stream
        return None

    def _attachment(self, name: str) -> bytes:
        for stream in self._container.streams:
            if stream.type == "attachment" and getattr(stream, "name", None) == name:
                return bytes(cast(Any, stream).data or b"")
        raise ValueError(f"holds no {name}: without its calibration a recording has no metres")

    def close(self) -> None:
        self._container.close()

    def captures(self) -> Iterator[KinectCapture]:
        """In order of time. A file that is damaged further on ends there."""
        assembler = Assembler(self.rate_hz, self.depth_mode is not None, self.has_imu)
        for name, stamp_ns, data in self._packets():
            if name == "IMU":
                assembler.samples.extend(imu_records(data))
            elif name == "COLOR":
                assembler.colors.append((stamp_ns, data))
            elif (picture := self._depth(data)) is not None:
                assembler.depths.append((stamp_ns - self._delay_ns, picture))
            yield from assembler.ready()
        yield from assembler.ready(last=True)

    def _depth(self, data: bytes) -> NDArray[np.uint16] | None:
        lens = self.calibration.depth
        if len(data) != 2 * lens.width * lens.height:
            return None
        return np.frombuffer(data, ">u2").astype(np.uint16).reshape(lens.height, lens.width)

    def _packets(self) -> Iterator[tuple[str, int, bytes]]:
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError):
                return
            if packet is None:
                return
            name = self._tracks.get(packet.stream_index)
            if name is not None and packet.size and packet.pts is not None and packet.time_base is not None:
                yield name, round(packet.pts * packet.time_base * 1_000_000_000) + self._offset_ns, bytes(packet)
