"""Tables of numbers over time, as CSV: read a block at a time, so that whatever is no such table is refused early.

Shared by every CSV of ours: a header, `time_s` first among the wanted columns, one row an instant, plain or gzip. An
empty cell is a number that is not there.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from appliance.errors import RecordingError
from appliance.recording.disk import open_recording
from appliance.separators import separator_hint

LONGEST_S = 2 * 3600.0
"""Nobody exercises for two hours on end: beyond it the unit of time is wrong, or the file means to eat the memory."""

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 16
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """What a table must hold.

    name: what people call it. columns: `time_s` first. most_rows: more are no recording of one exercise.
    farthest: a value beyond it, of whatever column but the time, is `beyond`.
    """

    name: str
    columns: tuple[str, ...]
    most_rows: int
    farthest: float
    beyond: str


def read_csv_table(path: Path, layout: CsvLayout) -> NDArray[np.float64]:
    """(rows, columns) float64 in the layout's order; times increase, an empty cell is NaN; other columns are ignored.

    Raises `RecordingError`, one line that names the file and where it can the line and column.
    """
    with open_recording(path) as file:
        try:
            with _text(file) as text:
                return np.concatenate(list(_tables(path, text, layout)))
        except EOFError:
            raise RecordingError(f"{path}: the gzip is cut short; copy or record it again") from None
        except (gzip.BadGzipFile, zlib.error):
            raise RecordingError(f"{path}: the gzip is damaged; copy or record it again") from None
        except UnicodeDecodeError:
            raise RecordingError(f"{path}: is not text; {layout.name} was expected") from None
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None


def _text(file: BinaryIO) -> io.TextIOWrapper:
    """The file's text, unzipped where need be, without a byte order mark and with any line ends as newlines."""
    zipped = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    binary = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file
    return io.TextIOWrapper(binary, encoding="utf-8-sig", newline=None)


def _tables(path: Path, text: io.TextIOWrapper, layout: CsvLayout) -> Iterator[NDArray[np.float64]]:
    """The rows as tables (rows, columns), a block at a time."""
    header = [name.strip() for name in text.readline(_LONGEST_LINE).split(",")]
    picked = _picked(path, header, layout)
    yield np.empty((0, len(layout.columns)))
    line_number = 2
    first_s, last_s = np.nan, -np.inf
    while block := text.read(_BLOCK):
        block += text.readline(_LONGEST_LINE)
        lines = block.split("\n")
        numbered = [(number, line) for number, line in enumerate(lines, line_number) if line]
        line_number += len(lines) - block.endswith("\n")
        if line_number > layout.most_rows + 2:
            raise RecordingError(f"{path}: has more than {layout.most_rows} rows; a recording is one exercise: cut it")
        if not numbered:
            continue
        table = _table(path, header, picked, numbered, layout)
        _check_values(path, table, numbered, layout)
        _check_times(path, np.concatenate([[last_s], table[:, 0]]), numbered)
        first_s, last_s = np.fmin(first_s, table[0, 0]), table[-1, 0]
        if last_s - first_s > LONGEST_S:
            raise RecordingError(f"{path}: goes on beyond two hours; is time_s in seconds?")
        yield table


def _picked(path: Path, header: list[str], layout: CsvLayout) -> list[int]:
    """Where each of the layout's columns stands in `header`."""
    missing = next((name for name in layout.columns if name not in header), None)
    if missing:
        hint = separator_hint(",".join(header))
        raise RecordingError(f"{path}: is not {layout.name}: its first line has no column {missing!r}{hint}")
    twice = next((name for name in layout.columns if header.count(name) > 1), None)
    if twice:
        raise RecordingError(f"{path}: line 1: the column {twice!r} is there more than once")
    return [header.index(name) for name in layout.columns]


def _table(
    path: Path, header: list[str], picked: list[int], numbered: list[tuple[int, str]], layout: CsvLayout
) -> NDArray[np.float64]:
    commas = len(header) - 1
    for number, line in numbered:
        if line.count(",") != commas:
            cells = line.count(",") + 1
            raise RecordingError(f"{path}: line {number}: has {cells} cells where the header has {len(header)}")
    # numpy's reader takes no empty cells; two passes, since ",,," holds two that overlap.
    text = "\n".join(["", *(line for _, line in numbered), ""])
    for empty, nan in ((",,", ",nan,"), (",,", ",nan,"), ("\n,", "\nnan,"), (",\n", ",nan\n")):
        text = text.replace(empty, nan)
    lines = text[1:-1].split("\n")
    try:
        return np.loadtxt(lines, delimiter=",", comments=None, usecols=picked, ndmin=2)
    except ValueError:
        raise _bad_cell(path, picked, numbered, layout) from None


def _bad_cell(path: Path, picked: list[int], numbered: list[tuple[int, str]], layout: CsvLayout) -> RecordingError:
    """The error that names the first cell that is no number."""
    for number, line in numbered:
        cells = line.split(",")
        for name, place in zip(layout.columns, picked, strict=True):
            cell = cells[place].strip()
            if not _NUMBER.fullmatch(cell) and (cell != "" or name == "time_s"):
                return RecordingError(f"{path}: line {number}: {name} is {cell[:40]!r}, not a number")
    return RecordingError(f"{path}: line {numbered[0][0]} or after: not a row of numbers")


def _check_values(path: Path, table: NDArray[np.float64], numbered: list[tuple[int, str]], layout: CsvLayout) -> None:
    far = np.argwhere(np.abs(table[:, 1:]) > layout.farthest)
    if len(far):
        row, column = far[0]
        value = table[row, column + 1]
        name = layout.columns[column + 1]
        raise RecordingError(f"{path}: line {numbered[row][0]}: {name} is {value:g}, {layout.beyond}")
    endless = np.flatnonzero(~np.isfinite(table[:, 0]))
    if len(endless):
        raise RecordingError(f"{path}: line {numbered[endless[0]][0]}: time_s is {table[endless[0], 0]:g}")


def _check_times(path: Path, times: NDArray[np.float64], numbered: list[tuple[int, str]]) -> None:
    """times: (rows + 1,), the last row before these first."""
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        before, now = times[late[0]], times[late[0] + 1]
        raise RecordingError(
            f"{path}: line {numbered[late[0]][0]}: time_s is {now:g} after {before:g}; times must increase"
        )
