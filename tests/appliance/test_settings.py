"""Settings: a file, the environment over it, and one clear line for whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import SettingsError
from appliance.settings import load_settings

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


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--settings"):
        load_settings(tmp_path / "none.toml", {})


def test_the_shipped_settings_are_valid() -> None:
    settings = load_settings(Path(__file__).parents[2] / "config" / "settings.toml", {})
    assert settings.camera["driver"] == "synthetic"
