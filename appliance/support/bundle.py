"""A bundle for the hospital's IT: how the box is and what it logged, and nothing about a patient.

What goes in is listed here, one part a file; session files, results and the queue stay out. Each text is redacted.
"""

from __future__ import annotations

import io
import json
import platform
import shutil
import stat
import subprocess
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from appliance.doctor import Check, examine
from appliance.errors import SettingsError
from appliance.recording.disk import write_whole
from appliance.settings import found_file, known_values, load_settings
from appliance.support.known_settings import known_settings
from appliance.support.log import FIELDS, lines_of
from appliance.support.redaction import Redaction, known_patients
from appliance.update.record import Record

LOG_DAYS = 14
_COMMAND_S = 20.0
_UNITS = ("rehabbox*", "systemd-networkd", "systemd-timesyncd", "NetworkManager", "wpa_supplicant*", "systemd-udevd")
_PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "Result", "StatusText", "NRestarts", "ExecMainCode",
    "ExecMainStatus", "ActiveEnterTimestamp", "InactiveEnterTimestamp", "MemoryCurrent", "CPUUsageNSec", "TasksCurrent",
)  # fmt: skip
_JOURNAL = ("journalctl", "--no-pager", "--quiet", "--all", "--output=json", f"--output-fields={','.join(FIELDS)}")
_LOGS: Mapping[str, tuple[str, ...]] = {
    "log.txt": (*_JOURNAL, f"--since=-{LOG_DAYS}d", *(f"--unit={unit}" for unit in _UNITS)),
    "kernel.txt": (*_JOURNAL, "--dmesg", "--priority=warning"),
}
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "units.txt": ("systemctl", "--no-pager", "show", f"--property={','.join(_PROPERTIES)}", "--", *_UNITS),
    "network.txt": ("ip", "address"),
    "routes.txt": ("ip", "route"),
    "time.txt": ("timedatectl",),
    "disks.txt": ("df", "--human-readable"),
    "memory.txt": ("free", "--mebi"),
}
_FOLDERS = frozenset({"sessions", "references", "enrolment"})


def pack(file: Path | None, out: Path, on_part: Callable[[str], None] = lambda name: None) -> list[str]:
    """Writes the bundle (tar, gzip) whole or not at all; names of its parts. Raises `RecordingError`, `SettingsError`.

    file: of the settings, which need not be complete. on_part: told of each part as it is made.
    """
    values = known_values(file)
    state = found_file(values).parent
    redaction = Redaction(known_patients(state), map(_read, Path("/sys/class/net").glob("*/address")))
    packed = io.BytesIO()
    names = []
    with tarfile.open(fileobj=packed, mode="w:gz") as bundle:
        for name, text in _parts(values, state, file, redaction):
            on_part(name)
            data = text.encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"rehabbox-support/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
            bundle.addfile(entry, io.BytesIO(data))
            names.append(name)
    write_whole(out, packed.getvalue())
    return names


def _parts(
    values: Mapping[str, Any], state: Path, file: Path | None, redaction: Redaction
) -> Iterator[tuple[str, str]]:
    for name, value in {
        "about.json": _about,
        "settings.json": lambda: known_settings(values),
        "doctor.json": lambda: _findings(file),
        "update.json": _update,
    }.items():
        yield name, _json(redaction.value(value()))
    yield "state.txt", _sizes(state)
    yield "usb.txt", redaction.text(_usb(Path("/sys/bus/usb/devices")))
    for name, command in _LOGS.items():
        yield name, _log(command, redaction)
    for name, command in _COMMANDS.items():
        done, fault = _said(command)
        yield name, redaction.text(done + fault)


def _findings(file: Path | None) -> list[dict[str, Any]]:
    try:
        return [asdict(check) for check in examine(load_settings(file))]
    except SettingsError as error:
        return [asdict(Check("settings", False, str(error), "Correct what it names, or set the box up."))]


def _about() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {one.metadata["Name"]: one.version for one in distributions()},
    }


def _update() -> dict[str, Any]:
    record = Record()
    entry = record.trial or record.verdict
    return {} if entry is None else {"on trial": record.trial is not None, **asdict(entry)}


def _sizes(state: Path) -> str:
    """How much there is, by folder; not what."""
    count, size = Counter[str](), Counter[str]()
    for path in state.rglob("*"):
        with suppress(OSError):  # a temporary one is gone
            known = path.stat()
            if stat.S_ISREG(known.st_mode):
                inside = path.relative_to(state).parts
                name = "." if len(inside) == 1 else inside[0] if inside[0] in _FOLDERS else "other folders"
                count[name] += 1
                size[name] += known.st_size
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


def _log(command: tuple[str, ...], redaction: Redaction) -> str:
    """Each text is redacted by itself: what stands before it are times and names of our own."""
    done, fault = _said(command)
    lines = (f"{before} {redaction.text(text)}" for before, text in lines_of(done))
    return "".join(line.replace("\n", "\n    ") + "\n" for line in lines) + redaction.text(fault)


def _said(command: tuple[str, ...]) -> tuple[str, str]:
    """Its output, and what it or we complain of."""
    if shutil.which(command[0]) is None:
        return "", f"{command[0]} is not installed\n"
    try:
        done = subprocess.run(command, capture_output=True, timeout=_COMMAND_S)
    except subprocess.TimeoutExpired:
        return "", f"{' '.join(command)}: no answer within {_COMMAND_S:.0f} s\n"
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
