"""One picture as a camera with a single frame."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from hal.camera.image import ImageCamera
from hal.errors import DeviceNotFoundError, StreamEndedError, UnreadableRecordingError


def opened(file: Path) -> ImageCamera:
    camera = ImageCamera(ImageCamera.Options(file=file))
    camera.open()
    return camera


def picture_bytes(suffix: str) -> bytes:
    """Red on the left, blue on the right, 64 x 32."""
    bgr = np.zeros((32, 64, 3), np.uint8)
    bgr[:, :32, 2] = bgr[:, 32:, 0] = 255
    return bytes(cv2.imencode(suffix, bgr)[1])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tiff", ".webp"])
def test_a_picture_is_one_rgb_frame_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / "100%d picture"
    file.write_bytes(picture_bytes(suffix))
    before_ns = time.monotonic_ns()
    camera = opened(file)
    frame = camera.read(0.1)
    assert frame is not None
    assert (frame.index, frame.stamp_ns) == (0, 0)
    assert before_ns <= frame.arrival_ns <= time.monotonic_ns()
    assert frame.color is not None
    assert frame.color.shape == (32, 64, 3)
    np.testing.assert_allclose(frame.color[:, :24].mean(axis=(0, 1)), (255, 0, 0), atol=12)
    np.testing.assert_allclose(frame.color[:, 40:].mean(axis=(0, 1)), (0, 0, 255), atol=12)
    with pytest.raises(StreamEndedError):
        camera.read(0.1)


def test_it_can_be_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(picture_bytes(".png"))
    camera = opened(file)
    camera.close()
    camera.close()
    with pytest.raises(StreamEndedError):
        camera.read(0.1)
    camera.open()
    assert camera.read(0.1) is not None
    assert camera.info.synthetic


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"squats\n" * 100, "is not a JPEG"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 200, "cut short"),
        (picture_bytes(".png")[:40], "cut short"),
    ],
    ids=["empty", "text", "damaged", "cut"],
)
def test_what_is_no_picture_is_one_clear_line(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "picture.jpg"
    file.write_bytes(content)
    with pytest.raises(UnreadableRecordingError, match=words) as raised:
        opened(file)
    assert str(file) in str(raised.value)


def test_a_missing_picture_is_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match="no such file"):
        opened(tmp_path / "nowhere.png")
