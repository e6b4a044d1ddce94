"""Settings: a file, the environment over it, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import SettingsError
from appliance.settings import load_settings
from hal.camera.synthetic import SyntheticCamera

GOOD = """
[broker]
host = "broker.example"
site = "clinic"
box = "box-1"
ca = "ca.pem"
certificate = "box.pem"
key = "box.key"

[camera]
driver = "synthetic"
rate_hz = 30
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def test_what_the_file_leaves_out_has_a_default(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, GOOD), {})
    assert settings.broker.port == 8883
    assert settings.imu is None
    assert settings.session.settle_s > 0


def test_a_damaged_note_of_what_was_plugged_in_counts_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "found.toml").write_bytes(bytes(64))
    settings = load_settings(written(tmp_path, f'{GOOD}\n[session]\nstate = "{tmp_path}"\n'), {})
    assert settings.imu is None
    assert f"{tmp_path / 'found.toml'}: not valid TOML" in caplog.text


def test_the_environment_overrides_the_file_in_toml_or_text(tmp_path: Path) -> None:
    environment = {
        "REHABBOX_BROKER__HOST": "other.example",
        "REHABBOX_BROKER__PORT": "1884",
        "REHABBOX_SESSION__SETTLE_S": "1.5",
        "REHABBOX_BROKER__SITE": "12",
        "REHABBOX_LOG_LEVEL": "ERROR",
        "REHABBOX_CAMERA__RATE_HZ": "15",
        "REHABBOX_DATA": "/not/a/setting",
    }
    settings = load_settings(written(tmp_path, GOOD), environment)
    assert (settings.broker.site, settings.log_level) == ("12", "ERROR")
    assert (settings.broker.host, settings.broker.port, settings.session.settle_s) == ("other.example", 1884, 1.5)


@pytest.mark.parametrize(
    ("text", "environment", "named"),
    [
        (GOOD + "[sesion]\nsettle_s = 1\n", {}, "sesion"),
        (GOOD.replace("host", "hots"), {}, "broker.ho"),
        (GOOD.replace('"synthetic"', '"kinekt"'), {}, "kinekt"),
        (GOOD.replace("rate_hz", "rate"), {}, "camera.rate"),
        (GOOD + "[imu]\nrate_hz = 96\n", {}, "imu"),
        (GOOD + "[session]\nsettle_s = -1\n", {}, "session.settle_s"),
        (GOOD, {"REHABBOX_BROKER__HOTS": "x"}, "broker.hots"),
        (GOOD, {"REHABBOX_LOG_LEVEL__X": "x"}, "log_level"),
        ("[broker\n", {}, "not valid TOML"),
        ("\xff", {}, "not valid TOML"),
        (GOOD + f"[session]\nsettle_s = {'1' * 5000}\n", {}, "not valid TOML: a number has too many digits"),
        (GOOD + f"deep = {'[' * 20_000}", {}, "not valid TOML: nested too deeply"),
        (GOOD, {"REHABBOX_IMU": f"{{rate_hz = {'1' * 5000}}}"}, "too many digits"),
        (GOOD, {"REHABBOX_IMU": "{a = '\udcff'}"}, "not valid TOML"),
        (GOOD + "[session]\nstate = 5\n", {}, "session.state"),
        (GOOD + "[enrolment]\nfolder = [5]\n", {}, "enrolment.folder"),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_key(
    tmp_path: Path, text: str, environment: dict[str, str], named: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environment)
    assert named in str(caught.value)
    assert str(file) in str(caught.value) or "REHABBOX_" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "\ufeff" + GOOD), {}) == load_settings(written(tmp_path, GOOD), {})


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--settings"):
        load_settings(tmp_path / "none.toml", {})


def test_the_shipped_settings_are_valid() -> None:
    settings = load_settings(Path(__file__).parents[2] / "config" / "settings.toml", {})
    assert settings.camera["driver"] == "synthetic"


KINECTS = """
[camera]
driver = "kinect"
serial = "111"
{first}

[second_camera]
driver = "kinect"
serial = "222"
calibration = "{calibration}"
{second}
"""


def two_kinects(folder: Path, calibration: Path, first: str = "", second: str = "", **replaced: str) -> Path:
    text = GOOD[: GOOD.index("[camera]")] + KINECTS.format(first=first, second=second, calibration=calibration)
    for old, new in replaced.items():
        text = text.replace(f'"{old.removeprefix("_")}"', f'"{new}"')
    return written(folder, text)


@pytest.fixture
def calibration(calibrate_synthetic: Callable[..., Path]) -> Path:
    """Of the Kinects 111 and 222."""
    file = calibrate_synthetic(SyntheticCamera.Options(), SyntheticCamera.Options(bearing_deg=45.0))
    stored = json.loads(file.read_text())
    stored["a"]["serial"], stored["b"]["serial"] = "111", "222"
    file.write_text(json.dumps(stored))
    return file


def test_a_second_camera_has_its_driver_its_options_and_the_calibration(tmp_path: Path, calibration: Path) -> None:
    file = two_kinects(tmp_path, calibration, 'sync = "primary"', 'sync = "subordinate"\nsubordinate_delay_us = 160')
    settings = load_settings(file, {"REHABBOX_SECOND_CAMERA__SUBORDINATE_DELAY_US": "200"})
    assert list(settings.cameras) == ["camera", "second_camera"]
    assert settings.cameras["second_camera"] == {
        "driver": "kinect", "serial": "222", "sync": "subordinate", "subordinate_delay_us": "200"
    }  # fmt: skip
    assert settings.second_camera is not None
    assert settings.second_camera.calibration == calibration


@pytest.mark.parametrize(
    ("first", "second", "replaced", "named"),
    [
        ('sync = "primary"', 'sync = "primary"', {}, 'exactly one "primary", there are 2'),
        ('sync = "subordinate"', 'sync = "subordinate"', {}, 'exactly one "primary", there are 0'),
        ('sync = "primary"', "", {}, 'others are "subordinate"'),
        ("", "", {"_222": "111"}, "second_camera.serial: 111 is [camera] already"),
        ("", "", {"_222": ""}, "second_camera.serial: is needed"),
        ("", "", {"_111": ""}, "camera.serial: is needed"),
        ("", "", {"_222": "333"}, "is of the cameras 111 and 222, the settings name 111 and 333; calibrate these two"),
        ("", "colour = true", {}, "[second_camera]: camera.colour"),
    ],
)
def test_two_cameras_that_do_not_go_together_are_refused_with_the_reason(
    tmp_path: Path, calibration: Path, first: str, second: str, replaced: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(two_kinects(tmp_path, calibration, first, second, **replaced), {})
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cameras_that_were_exchanged_are_said_to_be(tmp_path: Path, calibration: Path) -> None:
    stored = json.loads(calibration.read_text())
    stored["a"], stored["b"] = stored["b"], stored["a"]
    calibration.write_text(json.dumps(stored))
    with pytest.raises(SettingsError, match=r"exchange \[camera\] and \[second_camera\]"):
        load_settings(two_kinects(tmp_path, calibration), {})


def test_two_cameras_need_a_calibration_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"second_camera\.calibration: Field required"):
        load_settings(written(tmp_path, GOOD + '[second_camera]\ndriver = "synthetic"\n'), {})
    with pytest.raises(SettingsError, match=r"none\.json: cannot be read"):
        load_settings(two_kinects(tmp_path, tmp_path / "none.json"), {})


def test_a_subordinate_alone_would_wait_for_ever_and_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace('"synthetic"\nrate_hz = 30', '"kinect"\nsync = "subordinate"')
    with pytest.raises(SettingsError, match="exactly one"):
        load_settings(written(tmp_path, text), {})


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "box.toml"
    file.write_text('[camera]\ndriver = "no-such-driver"\n')
    with pytest.raises(SettingsError, match=r"box\.toml: broker"):
        load_settings(environment={"REHABBOX_SETTINGS": str(file)})
