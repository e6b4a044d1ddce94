"""Settings: one TOML file, overlaid by environment variables; an unknown key is an error that names it.

`REHABBOX_BROKER__HOST=broker.example` overrides `host` in `[broker]`, `REHABBOX_LOG_LEVEL=DEBUG` overrides
`log_level`: two underscores stand between table and key; lists and tables are written as in TOML.
`REHABBOX_SETTINGS` names the file where no option does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.camera_settings import check_cameras
from appliance.config_folder import config_dir
from appliance.errors import NotSetUpError, SettingsError
from appliance.guidance_settings import GuidanceSettings
from appliance.hospital.settings import BrokerSettings, OutboxSettings
from appliance.scoring.calibration_file import read_calibration
from appliance.toml_text import TomlError, read_toml
from appliance.track import CameraRole
from hal.errors import HalError
from hal.recovery import RecoverySettings
from hal.registry import DRIVERS, driver_options

_log = logging.getLogger(__name__)

PREFIX = "REHABBOX_"
NEEDED = {
    "broker": "this box is not enrolled; see rehabbox enrol --help",
    "camera": "plug one in and see rehabbox devices --help, or name its driver here",
}
Seconds = Annotated[float, Field(gt=0, le=3600)]


class SessionSettings(BaseModel):
    """When an exercise begins, ends and is given up; where its files lie."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Path = Path("/var/lib/rehabbox")
    """Outbox and session recordings."""
    references: Path = Path("/var/lib/rehabbox/references")
    """Reference recordings, found by the SHA-256 of their bytes whatever their names."""
    reference_key: Path | None = None
    """The hospital's Ed25519 public key (PEM): references that come over the broker must be signed for it."""
    calibration: Path | None = None
    """Calibration file of `rehabbox calibrate`; without one, results hold D's two parts and no D."""
    announce_s: Annotated[float, Field(ge=0, le=60)] = 16.0
    """From an exercise's announcement until the patient is looked for: its words take up to 16 s."""
    settle_s: Seconds = 3.0
    """Rest after the last prescribed repetition that ends the set."""
    idle_s: Seconds = 60.0
    """A set that nobody goes on with for this long is over."""
    offer_again_s: Annotated[float, Field(gt=0, le=86400)] = 300.0
    """Pause before an exercise that was broken off before its first repetition is offered again."""
    absent_s: Seconds = 15.0
    """A patient out of view for this long has left: the set ends."""
    longest_s: Seconds = 600.0
    """No set is recorded for longer."""


class RetentionSettings(BaseModel):
    """How long the box keeps session files. Hand-over and `forget-patient` erase them at once, whatever stands here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[int, Field(ge=1, le=3650)] = 30
    """After the last thing that was written in a session; longer where the hospital has not got its results yet."""
    megabytes: Annotated[int, Field(ge=10, le=1_000_000)] = 8192
    """Of all sessions together (2^20 bytes each); the oldest go first, also before their time."""


class HealthSettings(BaseModel):
    """How often the box says how it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_s: Seconds = 30.0
    """Between two messages; one is out of date after three times this."""


class EnrolmentSettings(BaseModel):
    """Where `rehabbox enrol` keeps the box's key and what the hospital told it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Path("/var/lib/rehabbox/enrolment")
    """Its `current/settings.toml`, once the box is enrolled, goes before this file."""


class FhirSettings(BaseModel):
    """How the hospital's things are named in FHIR."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patient_system: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$", max_length=256)] | None = None
    """A URI: within what the hospital's identifiers of patients are unique. Without it FHIR is told none."""


class BoardSettings(BaseModel):
    """The checkerboard that `rehabbox calibrate-cameras` looks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    squares: tuple[int, int] = (13, 8)
    """Along the longer and the shorter side; FineRehab's board."""
    square_mm: Annotated[float, Field(ge=5, le=500)] | None = None
    """Edge of one square, measured on the print. All distances scale with it, hence there is no default."""


class SecondCameraSettings(BaseModel):
    """A second camera: `driver` and that driver's own options, as in `[camera]`, and how the two stand."""

    model_config = ConfigDict(extra="allow", frozen=True)

    calibration: Path
    """Of `rehabbox calibrate-cameras`: its camera A is `[camera]`, its camera B this one."""

    @property
    def table(self) -> dict[str, Any]:
        """What the driver is given."""
        return dict(self.model_extra or {})


class Settings(BaseModel):
    """Everything the daemon is told. Driver tables hold `driver` and that driver's own options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: BrokerSettings
    camera: dict[str, Any]
    second_camera: SecondCameraSettings | None = None
    pose: dict[str, Any] = {"driver": "mediapipe"}
    imu: dict[str, Any] | None = None
    indicator: dict[str, Any] = {"driver": "silent"}
    button: dict[str, Any] = {"driver": "none"}
    session: SessionSettings = SessionSettings()
    guidance: GuidanceSettings = GuidanceSettings()
    outbox: OutboxSettings = OutboxSettings()
    board: BoardSettings = BoardSettings()
    retention: RetentionSettings = RetentionSettings()
    health: HealthSettings = HealthSettings()
    recovery: RecoverySettings = RecoverySettings()
    fhir: FhirSettings = FhirSettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def cameras(self) -> dict[CameraRole, dict[str, Any]]:
        """The tables of one or two cameras."""
        one: dict[CameraRole, dict[str, Any]] = {"camera": self.camera}
        return one if self.second_camera is None else {**one, "second_camera": self.second_camera.table}


def default_settings_file(environment: Mapping[str, str]) -> Path:
    """`REHABBOX_SETTINGS`, else `/etc/rehabbox/settings.toml` where there is one, else `config/settings.toml`."""
    if named := environment.get("REHABBOX_SETTINGS"):
        return Path(named)
    installed = Path("/etc/rehabbox/settings.toml")
    return installed if installed.exists() else config_dir() / "settings.toml"


def load_settings(file: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a file and the environment; the drivers' own options are checked too.

    Raises `SettingsError` that names file, key and what is wrong.
    """
    file = file or default_settings_file(environment)
    values = known_values(file, environment)
    for table, what in NEEDED.items():
        if table not in values:
            raise NotSetUpError(f"{file}: {table}: there is none; {what}")
    try:
        settings = Settings.model_validate(values)
        if settings.session.calibration is not None:
            read_calibration(settings.session.calibration)
        for kind in DRIVERS:
            table = getattr(settings, kind)
            if table is not None:
                driver_options(kind, table)
        check_cameras(settings.cameras, settings.second_camera.calibration if settings.second_camera else None)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except HalError as error:
        raise SettingsError(f"{file}: {error}") from None
    return settings


def known_values(file: Path | None = None, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """All that is said of the settings, whether it is complete and right or not. Raises `SettingsError`.

    From least to most weight: what was found plugged in, the file, what the hospital told, the environment.
    """
    values = _read(file or default_settings_file(environment))
    _overlay(values, environment)
    _enrolled(values)
    _found(values)
    _overlay(values, environment)
    return values


def enrolment_folder(file: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """Of these settings; a box that is not enrolled yet has no others that are complete. Raises `SettingsError`."""
    file = file or default_settings_file(environment)
    values = _read(file)
    _overlay(values, environment)
    try:
        return EnrolmentSettings.model_validate(values.get("enrolment", {})).folder
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{file}: enrolment.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_toml(file.read_bytes())
    except TomlError as error:
        raise SettingsError(f"{file}: {error}") from None
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}; name the settings file with --settings") from None


def _enrolled(values: dict[str, Any]) -> None:
    """Lays what the hospital told the box over the file's values, where there is such a thing."""
    drop_in = _folder(values, "enrolment", "folder", EnrolmentSettings().folder) / "current" / "settings.toml"
    try:
        if not drop_in.exists():
            return
    except OSError as error:  # the box's own user may look there
        raise SettingsError(f"{drop_in}: {error.strerror}; run it as the daemon's user") from None
    for table, keys in _read(drop_in).items():
        own = values.get(table, {})
        values[table] = {**own, **keys} if isinstance(own, dict) else own


def found_file(values: Mapping[str, Any]) -> Path:
    """Where `rehabbox devices --write` puts what it found, in the state folder."""
    return _folder(values, "session", "state", SessionSettings().state) / "found.toml"


def _folder(values: Mapping[str, Any], table: str, key: str, default: Path) -> Path:
    """What is no path is told of when the settings are checked."""
    said = values.get(table)
    folder = said.get(key) if isinstance(said, dict) else None
    return Path(folder) if isinstance(folder, str) and folder else default


def _found(values: dict[str, Any]) -> None:
    """Takes what was found plugged in, where neither file nor hospital names such a device."""
    file = found_file(values)
    try:
        if not file.exists():
            return
    except OSError:  # the box's own user may look there; nobody else needs to
        return
    try:
        found = _read(file)
    except SettingsError as error:  # it is made anew of what is plugged in
        _log.warning("what was found plugged in before is not known: %s", error)
        return
    if "camera" in values:
        found.pop("pose", None)  # the network that goes with the camera that was found
    for table, keys in found.items():
        values.setdefault(table, keys)


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, text in environment.items():
        path = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or (len(path) == 1 and path[0] not in Settings.model_fields):
            continue  # REHABBOX_DATA, REHABBOX_CONFIG and REHABBOX_SETTINGS are no settings
        *tables, key = path
        place = values
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise SettingsError(f"{name}: {table} is a value, not a table of settings")
        place[key] = _value(name, text)


def _value(name: str, text: str) -> Any:
    """Lists and tables are TOML; all else is text, of which pydantic makes numbers and truth values where it must."""
    if not text.startswith(("[", "{")):
        return text
    try:
        return read_toml(f"value = {text}".encode(errors="surrogateescape"))["value"]
    except TomlError as error:
        raise SettingsError(f"{name}: {error}") from None
