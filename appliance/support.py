"""A bundle for the hospital's IT: how the box is and what it logged, and nothing about a patient.

What goes in is listed here, one part a file; session files, results and the queue stay out. The identifiers of patients
that the box knows are blotted out of every part: a log line that names one is a fault, but must not become a leak.
"""

from __future__ import annotations

import io
import json
import platform
import re
import shutil
import subprocess
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from appliance.doctor import Check, examine
from appliance.errors import SettingsError
from appliance.inbound.ledger import Ledger
from appliance.recording.disk import write_whole
from appliance.settings import found_file, known_values, load_settings
from appliance.update.record import FILE as UPDATE_RECORD

LOG_DAYS = 14
BLOT = "[a patient]"
_COMMAND_S = 20.0
_UNITS = ("rehabbox*", "systemd-networkd", "systemd-timesyncd", "NetworkManager", "wpa_supplicant*", "systemd-udevd")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "units.txt": ("systemctl", "--no-pager", "--full", "status", *_UNITS),
    "log.txt": (
        "journalctl", "--no-pager", "--output=short-iso", f"--since=-{LOG_DAYS}d",
        *(f"--unit={unit}" for unit in _UNITS),
    ),
    "kernel.txt": ("journalctl", "--no-pager", "--dmesg", "--output=short-iso", "--priority=warning"),
    "network.txt": ("ip", "address"),
    "routes.txt": ("ip", "route"),
    "time.txt": ("timedatectl",),
    "disks.txt": ("df", "--human-readable"),
    "memory.txt": ("free", "--mebi"),
}  # fmt: skip


def pack(file: Path | None, out: Path, on_part: Callable[[str], None] = lambda name: None) -> list[str]:
    """Writes the bundle (tar, gzip) whole or not at all; names of its parts. Raises `RecordingError`, `SettingsError`.

    file: of the settings, which need not be complete. on_part: told of each part as it is made.
    """
    values = known_values(file)
    state = found_file(values).parent
    patients = _patients(state)
    packed = io.BytesIO()
    names = []
    with tarfile.open(fileobj=packed, mode="w:gz") as bundle:
        for name, text in _parts(values, state, file):
            on_part(name)
            data = _blotted(text, patients).encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"rehabbox-support/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
            bundle.addfile(entry, io.BytesIO(data))
            names.append(name)
    write_whole(out, packed.getvalue())
    return names


def _parts(values: Mapping[str, Any], state: Path, file: Path | None) -> Iterator[tuple[str, str]]:
    yield "about.json", _json(_about())
    yield "settings.json", _json(_without_secrets(values))
    yield "doctor.json", _json(_findings(file))
    yield "update.json", _read(UPDATE_RECORD)
    yield "state.txt", _sizes(state)
    yield "usb.txt", _usb(Path("/sys/bus/usb/devices"))
    for name, command in _COMMANDS.items():
        yield name, _said(command)


def _findings(file: Path | None) -> list[dict[str, Any]]:
    try:
        return [asdict(check) for check in examine(load_settings(file))]
    except SettingsError as error:
        return [asdict(Check("settings", False, str(error), "Correct what it names, or set the box up."))]


def _patients(state: Path) -> tuple[str, ...]:
    """The identifiers of those whose data the box holds."""
    ledger = Ledger(state / "accepted.json")
    held = [ledger.holder, *(departure.subject for departure in ledger.departures)]
    return tuple(dict.fromkeys(subject for subject in held if subject))


def _blotted(text: str, patients: tuple[str, ...]) -> str:
    for patient in patients:
        text = re.sub(rf"(?<!\w){re.escape(patient)}(?!\w)", BLOT, text)
    return text


def _about() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {one.metadata["Name"]: one.version for one in distributions()},
    }


def _without_secrets(values: Any) -> Any:
    """Settings hold paths of keys, no keys; what looks like one is left out all the same."""
    if isinstance(values, dict):
        return {
            key: "[left out]" if re.search(r"password|passphrase|secret|token", key) else _without_secrets(value)
            for key, value in values.items()
        }
    return [_without_secrets(one) for one in values] if isinstance(values, list) else values


def _sizes(state: Path) -> str:
    """How much there is, by folder; not what."""
    count, size = Counter[str](), Counter[str]()
    for path in state.rglob("*"):
        if path.is_file():
            inside = path.relative_to(state).parts
            name = inside[0] if len(inside) > 1 else "."
            count[name] += 1
            size[name] += path.stat().st_size
    return "".join(f"{name}: {count[name]} files, {size[name]} bytes\n" for name in sorted(count))


def _usb(folder: Path) -> str:
    rows = []
    for device in sorted(folder.glob("*")):
        values = [_read(device / name).strip() for name in ("idVendor", "idProduct", "speed", "product")]
        if values[0]:
            rows.append(f"{device.name} {' '.join(values)}\n")
    return "".join(rows)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _said(command: tuple[str, ...]) -> str:
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed\n"
    try:
        done = subprocess.run(command, capture_output=True, timeout=_COMMAND_S)
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)}: no answer within {_COMMAND_S:.0f} s\n"
    return done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, default=str, sort_keys=True) + "\n"
