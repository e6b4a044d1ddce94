"""Manifests: CSV files that list recordings, as people and spreadsheets write them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ManifestError
from appliance.separators import separator_hint

NEEDED = ("file", "exercise", "reference")


@dataclass(frozen=True, slots=True)
class Manifest:
    """path: relative names in it start from its folder; columns: as in the header; rows: column -> text."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def read_manifest(path: Path) -> Manifest:
    """Columns that are empty from the header on, which spreadsheets leave at the right, are dropped.

    Raises `ManifestError` for what is missing, empty, no CSV, or lacks a column.
    """
    text = _text(path)
    hint = separator_hint(text.partition("\n")[0])
    lines = [line for line in _cells(path, text, hint) if line]
    if len(lines) < 2:
        raise ManifestError(f"{path}: {'has a header and no rows' if lines else 'is empty'}")
    while not any(line[-1].strip() for line in lines) and len({len(line) for line in lines}) == 1 < len(lines[0]):
        lines = [line[:-1] for line in lines]
    columns = tuple(name.strip() for name in lines[0])
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        needed = hint or f"; a manifest needs {', '.join(NEEDED)}"
        raise ManifestError(f"{path}: has no column {missing[0]!r}{needed}")
    if len(set(columns)) != len(columns):
        raise ManifestError(f"{path}: a column is there more than once")
    for number, line in enumerate(lines, 1):
        if len(line) != len(columns):
            raise ManifestError(f"{path}: row {number} has {len(line)} cells where the header has {len(columns)}")
    return Manifest(path, columns, tuple(dict(zip(columns, line, strict=True)) for line in lines[1:]))


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{path}: is not UTF-8 text: save it as 'CSV UTF-8'") from None
    if "\0" in text:
        raise ManifestError(f"{path}: is not a CSV file: holds bytes that are no text")
    return text


def _cells(path: Path, text: str, hint: str) -> list[list[str]]:
    """hint: to be added to a complaint."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ManifestError(f"{path}: is not a CSV file: {error}{hint}") from None
