"""`rehabbox calibrate-cameras`: rendered boards to a stored calibration, a moved camera, one line for what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hal.camera.known_camera import KnownCamera, read_known_camera
from hal.types import Lens
from hal.virtual.board import BoardPainter

Array = NDArray[np.float64]
SQUARE_M = 0.06
KINECT = (0.3301, -2.4894, -0.00016, -0.00013, 1.4537, 0.2089, -2.3029, 1.3751)
LENS_A = Lens(1280, 720, (611.8, 612.0), (639.3, 366.9), KINECT)
LENS_B = Lens(1280, 720, (605.1, 604.8), (636.1, 362.2), (0.42, -2.55, 0.0002, -0.0003, 1.50, 0.30, -2.36, 1.42))


@pytest.fixture
def calibrate(command: Callable[..., Any]) -> Callable[..., Any]:
    return partial(command, "calibrate-cameras")


def calibration_json(file: Path, lens: Lens, serial: str) -> Path:
    """A Kinect's own file, whose numbers are fractions of the 4:3 sensor from its corner."""

    def entry(key: str, value: str, **more: object) -> dict[str, object]:
        still = {"Rotation": [1, 0, 0, 0, 1, 0, 0, 0, 1], "Translation": [0, 0, 0]}
        return {key: value, "Rt": still, **more}

    def intrinsics(numbers: list[float]) -> dict[str, object]:
        return {"ModelParameters": numbers, "ModelType": "CALIBRATION_LensDistortionModelBrownConrady"}

    k1, k2, p1, p2, k3, k4, k5, k6 = lens.distortion
    centre = [(lens.centre[0] + 0.5) / 1280, (lens.centre[1] + 120.5) / 960]
    color = [*centre, lens.focal[0] / 1280, lens.focal[1] / 960, k1, k2, k3, k4, k5, k6, 0, 0, p2, p1]
    depth = [0.5, 0.5, 0.49, 0.49, *[0.0] * 10]
    cameras = [
        entry("Location", "CALIBRATION_CameraLocationD0", Intrinsics=intrinsics(depth)),
        entry("Location", "CALIBRATION_CameraLocationPV0", Intrinsics=intrinsics(color)),
    ]
    sensors = [entry("SensorType", f"CALIBRATION_InertialSensorType_{kind}") for kind in ("Accelerometer", "Gyro")]
    known = {"Cameras": cameras, "InertialSensors": sensors, "Metadata": {"SerialId": serial}}
    file.write_text(json.dumps({"CalibrationInformation": known}))
    return file


class Stand:
    """Two cameras that look at one place 2.5 m away, `apart` degrees from each other, and their pictures on disk."""

    def __init__(self, folder: Path, apart: float, pictures: int) -> None:
        random = np.random.default_rng(int(apart))
        place = np.array([0.0, 0.0, 2.5])
        self.rotation = Rotation.from_euler("yxz", [-apart, 1.5, -2.0], degrees=True).as_matrix()
        self.translation = place - self.rotation @ np.array([0.03, -0.02, 2.54])
        self.folder = folder
        self.a = calibration_json(folder / "a.json", LENS_A, "000111")
        self.b = calibration_json(folder / "b.json", LENS_B, "000222")
        painters = BoardPainter(LENS_A, 3.0, 1), BoardPainter(LENS_B, 3.0, 2)
        between = Rotation.from_euler("y", -apart / 2, degrees=True)
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        for index in range(pictures):
            lean = random.uniform([-20, -25, -20], [20, 25, 20]) * (1.0 if apart < 60 else 0.5)
            turn = (between * Rotation.from_euler("yxz", lean, degrees=True)).as_matrix()
            middle = place + random.uniform([-0.5, -0.3, -0.3], [0.5, 0.3, 0.3])
            corner = middle - turn @ (np.array([5.5, 3.0, 0.0]) * SQUARE_M)
            in_b = self.rotation.T @ turn, self.rotation.T @ (corner - self.translation)
            name = f"{index:02}.png"
            cv2.imwrite(str(folder / "a" / name), painters[0].picture((13, 8), SQUARE_M, turn, corner))
            cv2.imwrite(str(folder / "b" / name), painters[1].picture((13, 8), SQUARE_M, *in_b))

    @property
    def arguments(self) -> list[object]:
        return [self.folder / "a", self.folder / "b", "--camera-a", self.a, "--camera-b", self.b]

    def errors(self, found: dict[str, Any]) -> tuple[float, float]:
        """Millimetres and degrees away from the truth."""
        off = Rotation.from_matrix(np.array(found["rotation"]).T @ self.rotation).magnitude()
        return 1000 * float(np.linalg.norm(found["translation_m"] - self.translation)), float(np.degrees(off))


def test_twenty_pictures_place_cameras_45_degrees_apart_within_2_mm(
    calibrate: Callable[..., Any], tmp_path: Path
) -> None:
    stand = Stand(tmp_path, apart=45, pictures=20)
    before = set(tmp_path.iterdir())
    out = tmp_path / "cameras.json"
    done = calibrate(*stand.arguments, "--square-mm", 60, "--out", out, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    millimetres, degrees = stand.errors(found)
    print(f"45 degrees apart: {millimetres:.2f} mm, {degrees:.4f} degrees, {found['reprojection_px']:.3f} px")
    assert millimetres < 2
    assert degrees < 0.1
    assert found["reprojection_px"] < 0.3
    assert (found["pictures"], found["rejected"]) == (20, [])
    assert found["angle_deg"] == pytest.approx(45, abs=0.2)
    assert found["distance_m"] == pytest.approx(np.linalg.norm(stand.translation), abs=0.002)

    kept = json.loads(out.read_text())
    assert (kept["schema_version"], kept["a"]["serial"], kept["b"]["serial"]) == (1, "000111", "000222")
    assert kept["board"] == {"squares": [13, 8], "square_mm": 60}
    assert kept["pictures"] == [f"{index:02}.png" for index in range(20)]
    assert (kept["rotation"], kept["translation_m"]) == (found["rotation"], found["translation_m"])
    assert set(tmp_path.iterdir()) == {*before, out}


def test_cameras_90_degrees_apart_are_placed_too_and_told_in_words(
    calibrate: Callable[..., Any], tmp_path: Path
) -> None:
    """Each sees the board from 45 degrees aside. Bounds are loose; the figure reached is printed."""
    stand = Stand(tmp_path, apart=90, pictures=12)
    shutil.copy(tmp_path / "a" / "00.png", tmp_path / "a" / "alone.png")
    out = tmp_path / "cameras.json"
    done = calibrate(*stand.arguments, "--square-mm", 60, "--out", out)
    assert done.returncode == 0
    found = json.loads(out.read_text())
    millimetres, degrees = stand.errors(found)
    print(f"90 degrees apart: {millimetres:.2f} mm, {degrees:.4f} degrees, {found['reprojection_px']:.3f} px")
    assert millimetres < 5
    assert degrees < 0.2
    assert found["reprojection_px"] < 0.3
    assert f"camera B stands {np.linalg.norm(stand.translation):.2f}" in done.stdout
    assert "looks 90.0 degrees away" in done.stdout
    assert f"not used: alone.png: not in {tmp_path / 'b'}" in done.stdout
    assert done.stdout.count("gravity is not known") == 2


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a calibration needs by its names and sizes, with no board in any picture."""
    folder = tmp_path_factory.mktemp("blank")
    calibration_json(folder / "cal.json", LENS_A, "000111")
    for camera in "ab":
        (folder / camera).mkdir()
        for index in range(10):
            cv2.imwrite(str(folder / camera / f"{index:02}.png"), np.zeros((720, 1280), np.uint8))
    return folder


def test_board_and_square_come_from_the_settings_where_no_option_says_them(
    blank: Path, calibrate: Callable[..., Any], tmp_path: Path
) -> None:
    config = Path(__file__).parents[2] / "config" / "settings.toml"
    settings = tmp_path / "settings.toml"
    settings.write_text(config.read_text() + "\n[board]\nsquares = [9, 9]\nsquare_mm = 60.0\n")
    arguments = [blank / "a", blank / "b", "--camera-a", blank / "cal.json", "--camera-b", blank / "cal.json"]
    arguments += ["--settings", settings, "--out", tmp_path / "o.json"]
    done = calibrate(*arguments)
    assert (done.returncode, "9x9 squares looks the same upside down" in done.stderr) == (2, True)
    assert "8x8 squares looks the same upside down" in calibrate(*arguments, "--board", "8x8").stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--square-mm": None, "--settings": None}, "--square-mm"),
        ({"--board": "13"}, "'13': two numbers of squares"),
        ({"--square-mm": "6000"}, "squares of 6000 mm: 5 to 500 mm"),
        ({"--camera-a": "none.json"}, "none.json: no such file"),
        ({"--camera-a": "empty.json"}, "empty.json: the calibration is not an Azure Kinect's"),
        ({"--camera-b": "noise.mkv"}, "noise.mkv"),
        ({"--out": "o.txt"}, "o.txt: must be a file that ends in .json"),
        ({"--out": "no/o.json"}, "no is not there or may not be written to"),
        ({0: "few"}, "have 3 pictures of the same name, 10 are needed"),
        ({0: "none"}, "none: there is no such folder"),
        ({0: "small", 1: "small"}, "small/01.png: is 320x240, but camera A's lens is known for 1280x720"),
        ({0: "odd", 1: "odd"}, "a Kinect has no colour pictures of 320x240"),
        ({1: None}, "PICTURES_B"),
        ({"--check": "none.json"}, "--check takes no pictures"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    blank: Path,
    calibrate: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    change: dict[Any, str | None],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.json").write_text("{}")
    Path("noise.mkv").write_bytes(np.random.default_rng(3).bytes(3000))
    for folder in ("few", "small", "odd"):
        Path(folder).mkdir()
    for index in range(10):
        cv2.imwrite(f"odd/{index:02}.png", np.zeros((240, 320), np.uint8))
        cv2.imwrite(f"small/{index:02}.png", np.zeros((240, 320) if index == 1 else (720, 1280), np.uint8))
    for index in range(3):
        shutil.copy(blank / "a" / f"{index:02}.png", "few")
    folders: dict[int, object] = {0: blank / "a", 1: blank / "b"}
    calibration = blank / "cal.json"
    options: dict[str, object] = {"--camera-a": calibration, "--camera-b": calibration}
    options |= {"--square-mm": 60, "--out": "o.json"}
    for key, value in change.items():
        (folders if isinstance(key, int) else options)[key] = value
    arguments = [folder for folder in folders.values() if folder is not None]
    arguments += [word for pair in options.items() if pair[1] is not None for word in pair]
    before = sorted(tmp_path.rglob("*"))
    done = calibrate(*arguments, "--json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture(scope="module")
def recorded(data: Path) -> KnownCamera:
    """The Kinect of the real recording, as it stood then."""
    return read_known_camera(str(data / "azure-kinect" / "recording.mkv"), (1280, 720))


def stored_before(file: Path, camera: KnownCamera, tilt_deg: float, lens_sha256: str) -> Path:
    """A calibration in which both cameras are that one; A stood as now, B was `tilt_deg` off."""
    assert camera.placement is not None
    across = np.cross(camera.placement.up, [0.0, 0.0, 1.0])
    tilt = Rotation.from_rotvec(np.radians(tilt_deg) * across / np.linalg.norm(across))
    still = {"serial": "42", "width": 1280, "height": 720, "lens_sha256": lens_sha256, "floor": None}
    document = {
        "schema_version": 1,
        "date": "2026-01-02T03:04:05Z",
        "a": {**still, "up": camera.placement.up.tolist()},
        "b": {**still, "up": tilt.apply(camera.placement.up).tolist()},
        "rotation": np.eye(3).tolist(),
        "translation_m": [1, 0, 0],
        "reprojection_px": 0.1,
        "board": {"squares": [13, 8], "square_mm": 60},
        "pictures": [],
        "rejected": [],
    }
    file.write_text(json.dumps(document))
    return file


def test_the_lens_is_the_same_from_a_recording_and_from_its_calibration_file(data: Path, recorded: KnownCamera) -> None:
    from_file = read_known_camera(str(data / "azure-kinect" / "calibration.json"), (1280, 720))
    assert (from_file.serial, from_file.lens_sha256) == (recorded.serial, recorded.lens_sha256)
    assert from_file.placement is None


@pytest.mark.parametrize(("tilt_deg", "moved"), [(0.5, False), (2.0, True)])
def test_a_camera_that_was_tilted_since_is_named(
    data: Path, recorded: KnownCamera, calibrate: Callable[..., Any], tmp_path: Path, tilt_deg: float, moved: bool
) -> None:
    """The real recording of a Kinect against calibrations in which camera B stood otherwise."""
    file = stored_before(tmp_path / "cameras.json", recorded, tilt_deg, recorded.lens_sha256)
    recording = data / "azure-kinect" / "recording.mkv"
    arguments = ["--check", file, "--camera-a", recording, "--camera-b", recording]
    done = calibrate(*arguments, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["moved"]) == (int(moved), moved)
    assert [camera["moved"] for camera in answer["cameras"]] == [False, moved]
    assert [camera["tilt_deg"] for camera in answer["cameras"]] == [0, pytest.approx(tilt_deg, abs=0.01)]
    if moved:
        done = calibrate(*arguments)
        assert done.returncode == 1
        assert f"camera B (42) was moved since {file} was made: calibrate again (tilt 2.0 degrees" in done.stdout
        assert "camera A (42) stands as it did" in done.stdout


def test_another_camera_than_the_calibrated_one_is_refused(
    data: Path, recorded: KnownCamera, calibrate: Callable[..., Any], tmp_path: Path
) -> None:
    file = stored_before(tmp_path / "cameras.json", recorded, 0.0, "0" * 64)
    recording = data / "azure-kinect" / "recording.mkv"
    done = calibrate("--check", file, "--camera-a", recording, "--camera-b", recording)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is not the one that was calibrated (42)" in done.stderr
