"""What was found plugged in, kept as settings: it stands where neither file nor hospital says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.recording.disk import write_whole
from appliance.toml_text import TomlError, read_toml
from hal.detect import Found

_HEAD = "# What was found plugged in at a start, or by `rehabbox devices --write`; the settings file goes before it.\n"


def keep(file: Path, found: Iterable[Found]) -> bool:
    """Whether anything changed. A device that is not seen now is kept: it may be unplugged for a moment.

    Raises `RecordingError` where the disk refuses.
    """
    known = _read(file)
    merged = {**known, **{one.kind: one.table for one in found}}
    if merged == known:
        return False
    write_whole(file, (_HEAD + tables(merged)).encode())
    return True


def tables(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """As TOML."""
    return "".join(
        f"\n[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in settings.items()
    )


def _read(file: Path) -> dict[str, Any]:
    with suppress(OSError, TomlError):
        return read_toml(file.read_bytes())
    return {}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value)
