"""A stored calibration comes back as it was; a damaged, foreign or newer one is refused in one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hal.camera.checkerboard import Board
from hal.camera.known_camera import KnownCamera
from hal.camera.placement import Floor, Placement
from hal.camera.two_views import Rejected, TwoViews
from hal.camera.two_views_file import StoredTwoViews, read_two_views, stored
from hal.errors import CalibrationError
from hal.types import Lens

UP = np.array([0.0, -0.8, 0.6])
STANDING = Placement(UP, Floor(UP, 1.2))
A = KnownCamera("000111", Lens(1280, 720, (611.8, 612.0), (639.3, 366.9)), STANDING)
B = KnownCamera("000222", Lens(1280, 720, (605.1, 604.8), (636.1, 362.2)), Placement(UP, None))


def calibration() -> StoredTwoViews:
    turn = Rotation.from_euler("yxz", [-45.0, 1.5, -2.0], degrees=True).as_matrix()
    rejected = (Rejected("03.png", "no whole board in A's"),)
    views = TwoViews(turn, np.array([1.75, -0.1, 0.7]), 0.07, ("01.png", "02.png"), rejected)
    lonely = [Rejected("00.png", "not in b")]
    return stored(views, lonely, Board((13, 8), 0.06), A, B, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_what_was_stored_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "cameras.json"
    file.write_text(calibration().model_dump_json())
    back = read_two_views(file)
    assert back == calibration()
    assert [one.picture for one in back.rejected] == ["00.png", "03.png"]
    assert np.linalg.det(np.array(back.rotation)) == pytest.approx(1)
    assert (back.a.floor is not None, back.b.floor) == (True, None)


def test_each_camera_is_compared_with_its_own_stand() -> None:
    lower = KnownCamera("000111", A.lens, Placement(UP, Floor(UP, 1.1)))
    tilted = KnownCamera("000222", B.lens, Placement(Rotation.from_euler("x", 3, degrees=True).apply(UP), None))
    of_a, of_b = calibration().moved(lower, tilted)
    assert of_a.noticed
    assert of_a.rise_m == pytest.approx(-0.1)
    assert of_b.noticed
    assert of_b.tilt_deg == pytest.approx(3)
    assert [moved.noticed for moved in calibration().moved(A, B)] == [False, False]


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (B, A, "camera A .000222. is not the one that was calibrated .000111."),
        (A, KnownCamera("000222", B.lens), "camera B: what was given does not tell gravity"),
    ],
)
def test_what_cannot_be_compared_is_refused(a: KnownCamera, b: KnownCamera, words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        calibration().moved(a, b)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema_version": 2}, "newer version .schema 2"),
        ({"schema_version": "x"}, "schema_version"),
        ({"rotation": np.diag([1, 1, -1]).tolist()}, "rotation is not a rotation"),
        ({"rotation": (2 * np.eye(3)).tolist()}, "rotation is not a rotation"),
        ({"translation_m": [1, 2]}, "translation_m"),
        ({"surprise": 1}, "surprise"),
        ({"date": "yesterday"}, "date"),
        ({"a": None}, "a: "),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    file = tmp_path / "cameras.json"
    file.write_text(json.dumps({**json.loads(calibration().model_dump_json()), **change}))
    with pytest.raises(CalibrationError, match=rf"cameras\.json: .*{words}"):
        read_two_views(file)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff\x00", b'{"schema_version": 1', b"[" * 5000])
def test_what_is_no_calibration_is_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cameras.json"
    file.write_bytes(content)
    with pytest.raises(CalibrationError, match=r"cameras\.json: is not a calibration of two cameras"):
        read_two_views(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"none\.json: cannot be read: No such file"):
        read_two_views(tmp_path / "none.json")
