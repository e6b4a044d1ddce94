"""A whole picture is decoded, a damaged one refused, and the library underneath says nothing of it on stderr."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hal.camera.jpeg import decode_jpeg


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Soft shapes and some noise, (240, 320, 3) RGB."""
    y, x = np.mgrid[0:240, 0:320]
    soft = np.stack([120 + 100 * np.sin(x / 40), 120 + 100 * np.cos(y / 30), 0.5 * x], axis=-1)
    return np.clip(soft + np.random.default_rng(1).normal(0, 3, soft.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def test_a_whole_picture_is_what_was_encoded(picture: np.ndarray, jpeg: bytes) -> None:
    decoded = decode_jpeg(jpeg, 320, 240)
    assert decoded is not None
    assert (decoded.dtype, decoded.shape) == (np.uint8, (240, 320, 3))
    assert np.abs(decoded.astype(int) - picture).mean() < 4


@pytest.mark.parametrize("sampling", [cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420])
def test_it_looks_as_libjpeg_would_have_it(picture: np.ndarray, sampling: int) -> None:
    """A Kinect's pictures are 4:2:2. The pose network was seen to change its mind for one shade of grey."""
    jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling])[1]
    decoded = decode_jpeg(jpeg.tobytes(), 320, 240)
    assert decoded is not None
    off = decoded.astype(int) - cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(off.mean(axis=(0, 1))).max() < 0.3
    assert np.abs(off).mean() < 0.5


def test_another_size_is_refused_before_it_is_decoded(jpeg: bytes) -> None:
    assert decode_jpeg(jpeg, 640, 480) is None


@pytest.mark.parametrize("damage", ["cut", "a lost packet", "zeros", "no picture", "empty"])
def test_damage_is_refused_in_silence(jpeg: bytes, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    half = len(jpeg) // 2
    spoiled = {
        "cut": jpeg[:half],
        "a lost packet": jpeg[:half] + jpeg[half + 1024 :],
        "zeros": jpeg[:half] + bytes(1024) + jpeg[half + 1024 :],
        "no picture": b"\xff\xd8" + bytes(1000),
        "empty": b"",
    }[damage]
    assert decode_jpeg(spoiled, 320, 240) is None
    assert capfd.readouterr() == ("", "")
