"""The hospital's list of boxes as a CSV file: checked as a whole before any row of it counts."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import FleetError
from appliance.hospital.settings import LEVEL

COLUMNS = ("box", "site", "serial", "note")
LONGEST = 200
"""Characters of a serial number or note."""
TOLD = 5
"""Faults in one message; more are counted."""


@dataclass(frozen=True, slots=True)
class Box:
    """A row. serial: the device's, as printed on it; it and the note may be empty."""

    box: str
    site: str
    serial: str = ""
    note: str = ""


def checked(box: Box, sites: Sequence[str]) -> Box:
    """Raises `FleetError` naming the column."""
    if not re.fullmatch(LEVEL, box.box):
        raise FleetError(f"box: {box.box!r}: letters, digits, '.', '_' and '-' only, at most 64")
    if box.site not in sites:
        raise FleetError(f"site: {box.site!r} is none of {', '.join(sites)} (fleet.toml)")
    for column in ("serial", "note"):
        text: str = getattr(box, column)
        if len(text) > LONGEST or not text.isprintable():
            raise FleetError(f"{column}: at most {LONGEST} printable characters")
    return box


def read_boxes(file: Path, sites: Sequence[str]) -> list[Box]:
    """With a header; `box` is needed, `site` where there are several, `serial` and `note` may be there.

    UTF-8, separated by commas or semicolons. Raises `FleetError` with the first faults and their lines.
    """
    try:
        lines = file.read_text("utf-8-sig").split("\n")  # and at nothing else that Unicode calls a line's end
    except UnicodeDecodeError:
        raise FleetError(f"{file}: is not UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise FleetError(f"{file}: cannot be read: {error.strerror}") from None
    boxes: dict[str, Box] = {}
    faults = []
    for number, box in _rows(file, lines, sites):
        try:
            checked(box, sites)
            if box.box in boxes:
                raise FleetError(f"box: {box.box!r} is there twice")
        except FleetError as error:
            faults.append(f"line {number}: {error}")
        boxes[box.box] = box
    if faults:
        more = f"; and {len(faults) - TOLD} more" if len(faults) > TOLD else ""
        raise FleetError(f"{file}: nothing was changed: {'; '.join(faults[:TOLD])}{more}")
    if not boxes:
        raise FleetError(f"{file}: holds no box")
    return list(boxes.values())


def _rows(file: Path, lines: list[str], sites: Sequence[str]) -> Iterator[tuple[int, Box]]:
    header = lines[0] if lines else ""
    reader = csv.DictReader(lines, delimiter=";" if header.count(";") > header.count(",") else ",", strict=True)
    try:
        reader.fieldnames = names = [name.strip().lower() for name in reader.fieldnames or []]
        needed = ("box",) if len(sites) == 1 else ("box", "site")
        missing = [name for name in needed if name not in names]
        if missing:
            lacks = " and no column ".join(missing)
            raise FleetError(f"{file}: has no column {lacks}; the first line names the columns")
        twice = [name for name in COLUMNS if names.count(name) > 1]
        if twice:
            raise FleetError(f"{file}: has two columns {twice[0]}")
        for row in reader:
            values = {name: (row.get(name) or "").strip() for name in COLUMNS}
            if any(values.values()):
                yield reader.line_num, Box(**values | {"site": values["site"] or sites[0] * (len(sites) == 1)})
    except csv.Error as error:
        raise FleetError(f"{file}: line {reader.line_num + 1}: {error}") from None
