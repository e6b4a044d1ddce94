"""What stands between this box and a session: each part is tried for real, and each fault comes with its remedy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from appliance.clock import installed, is_sane
from appliance.enrolment.identity import Identity
from appliance.enrolment.online import reach_online
from appliance.errors import RehabBoxError, SettingsError
from appliance.exercises import load_exercises
from appliance.hospital.refusal import knock
from appliance.hospital.settings import tls_context
from appliance.quality.judgement import shipped_judge
from appliance.sensor_check import hear
from appliance.settings import Settings
from appliance.track import CameraRole
from hal.errors import HalError
from hal.protocols import Camera, Driver
from hal.registry import build_camera, build_imu, build_indicator, build_pose
from hal.wired_sync import start_order

LEAST_FREE_BYTES = 1 << 30
"""A day of sessions with 17 IMUs; see the volume in docs/decisions.md."""
EXPIRES_SOON_DAYS = 30
READ_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """remedy: what to do; empty where nothing is wrong."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """One check after another, as they finish; raises nothing for what it finds."""
    yield _tried("exercises", _exercises, "Correct the named file in the config folder.")
    yield _tried("model", _model, "Install the software again.")
    yield from _cameras(settings)
    yield _tried("pose", lambda: _opened(build_pose(settings.pose)), "Install the software again.")
    if settings.imu is not None:
        imu = settings.imu
        yield _tried(
            "imu", lambda: _imu(imu), "Charge and switch on the sensors; [imu] in the settings must name those worn."
        )
    yield _tried(
        "indicator", lambda: _opened(build_indicator(settings.indicator)), "Check [indicator] in the settings."
    )
    yield _clock()
    yield _disk(settings.session.state)
    yield _tried("references", lambda: _references(settings.session.references), "Copy the reference recordings there.")
    yield _tried("certificate", lambda: _certificate(settings), "Enrol the box (rehabbox enrol).")
    way = f" through the proxy {settings.broker.proxy}" if settings.broker.proxy else ""
    out = f"The box goes out to {settings.broker.host}:{settings.broker.port} (TCP){way}; allow that"
    yield _tried("broker", lambda: _broker(settings), f"{out}; then check the broker's rules.")
    yield from _enrolment_server(settings)


def _tried(name: str, attempt: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, attempt())
    except (RehabBoxError, HalError, OSError) as error:
        return Check(name, False, " ".join(str(error).split()), remedy)
    except Exception as error:  # noqa: BLE001  a driver's own fault is one more finding, whatever it is
        reason = " ".join(str(error).split())
        return Check(name, False, f"the driver failed: {type(error).__name__}: {reason}", remedy)


def _model() -> str:
    """Absence is no fault: scores need no model."""
    judge = shipped_judge()
    if judge is None:
        return "no quality classifier is installed"
    if judge.levels_unusable:
        raise SettingsError(judge.levels_unusable)
    return judge.version


def _exercises() -> str:
    return f"{len(load_exercises())} exercises"


def _opened(driver: Driver) -> str:
    driver.open()
    try:
        return f"{driver.info.driver}: {driver.info.name}"
    finally:
        driver.close()


def _cameras(settings: Settings) -> Iterator[Check]:
    """All open at once: a camera that another one triggers gives nothing by itself."""
    faults: dict[CameraRole, Exception] = {}
    cameras = start_order({role: build_camera(table) for role, table in settings.cameras.items()})
    with ExitStack() as opened:
        for role, camera in cameras.items():
            opened.callback(_shut, camera)
            try:
                camera.open()
            except Exception as error:  # noqa: BLE001  as in _tried, which tells it
                faults[role] = error
        for role in settings.cameras:
            remedy = f"Check the camera's plug and power, and [{role}] in the settings."
            yield _tried(role.replace("_", " "), partial(_picture, cameras[role], faults.get(role)), remedy)


def _shut(camera: Camera) -> None:
    """One that cannot be closed is a fault that was told already, and must not hide the other checks."""
    with suppress(Exception):
        camera.close()


def _picture(camera: Camera, fault: Exception | None) -> str:
    if fault is not None:
        raise fault
    frame = camera.read(READ_S)
    if frame is None:
        raise HalError(f"{camera.info.name} gave no frame within {READ_S:.0f} s")
    return f"{camera.info.driver}: {camera.info.name}"


def _imu(table: dict[str, object]) -> str:
    imu = build_imu(table)
    imu.open()
    try:
        heard = hear(imu)
        if heard.fault:
            raise HalError(f"{imu.info.name}: {heard.fault}")
        battery = getattr(imu, "battery_percent", None)
        charge = "" if battery is None else f"; battery of the receiver {battery} %"
        return f"{imu.info.driver}: {len(heard.segments)} sensors: {', '.join(sorted(heard.segments))}{charge}"
    finally:
        imu.close()


def _clock() -> Check:
    now = datetime.now(UTC)
    newest, ok = installed(), is_sane(now)
    detail = f"{now:%Y-%m-%d %H:%M:%S} UTC" + (
        "" if ok else f", which is before this software was installed ({newest:%Y-%m-%d})"
    )
    return Check("clock", ok, detail, "" if ok else "Let the box reach a time server.")


def _disk(state: Path) -> Check:
    folder = next(path for path in (state, *state.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Check(
            "disk", False, f"{folder} cannot be written", "Give the daemon's user the folder in session.state."
        )
    ok = free >= LEAST_FREE_BYTES
    remedy = "" if ok else f"Free space: at least {LEAST_FREE_BYTES / 2**30:.0f} GiB."
    return Check("disk", ok, f"{free / 2**30:.1f} GiB free at {folder}", remedy)


def _references(folder: Path) -> str:
    if not folder.is_dir():
        raise RehabBoxError(f"{folder} is not there")
    return f"{sum(file.is_file() for file in folder.iterdir())} files in {folder}"


def _enrolment_server(settings: Settings) -> Iterator[Check]:
    """Where the box renews its certificate, where there is such a server."""
    identity = Identity(settings.enrolment.folder)
    try:
        est = identity.current().enrolment.hospital.est if identity.exists else None
    except (RehabBoxError, OSError) as error:
        yield Check("enrolment", False, " ".join(str(error).split()), "Enrol the box again (rehabbox enrol).")
        return
    if est is not None:
        remedy = f"The box goes out to {est.host}:{est.port} (TCP) as well; allow that."
        yield _tried("enrolment server", lambda: reach_online(identity), remedy)


def _certificate(settings: Settings) -> str:
    tls_context(settings.broker)
    certificate = x509.load_pem_x509_certificate(settings.broker.certificate.read_bytes())
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    if certificate.not_valid_before_utc > datetime.now(UTC):
        raise RehabBoxError(f"{settings.broker.certificate} is not valid before {certificate.not_valid_before_utc}")
    if left.total_seconds() < 0:
        raise RehabBoxError(f"{settings.broker.certificate} expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    soon = f"; renew it within {left.days} days" if left.days < EXPIRES_SOON_DAYS else ""
    return f"box {settings.broker.box}, valid until {certificate.not_valid_after_utc:%Y-%m-%d}{soon}"


def _broker(settings: Settings) -> str:
    """Without a connection of its own, which would push a running daemon off the broker."""
    broker = settings.broker
    try:
        knock(broker, tls_context(broker))
    except ConnectionError as error:
        raise RehabBoxError(f"{broker.host}:{broker.port}: {error}") from None
    return f"{broker.host}:{broker.port} accepts this box"
