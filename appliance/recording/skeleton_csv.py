"""The project's skeleton CSV: `time_s`, then `<joint>.x,<joint>.y,<joint>.z` in metres for the 17 standard joints.

Plain or gzip, one row a frame, an empty cell where a joint was not seen. The layout is ours; it holds no confidence:
what is read back is 1 where a joint was seen and 0 where not. z is 0 throughout where the source was planar.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from appliance.errors import RecordingError
from appliance.recording.disk import open_recording, write_whole
from appliance.skeleton.standard import JOINTS, Recording, recording_of

COLUMNS = ("time_s", *(f"{joint}.{axis}" for joint in JOINTS for axis in "xyz"))

LONGEST_S = 2 * 3600.0
MOST_FRAMES = int(LONGEST_S * 120)
"""Nobody exercises for two hours on end: beyond it the unit of time is wrong, or the file means to eat the memory."""
FARTHEST = 1e6
"""Beyond any position in metres, or in pixels; what lies farther would overflow in a square."""

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 16
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)


def write_skeleton_csv(path: Path, recording: Recording) -> None:
    """Write `recording` to `path`, whole or not at all; gzip where the name ends in `.gz`.

    Resolution is 1e-6 m and 1e-6 s. The same recording always gives the same bytes, so that its digest names it.
    Raises `RecordingError` where the disk refuses, or two frames are closer than the resolution of time.
    """
    times = np.round(recording.times, 6)
    if np.any(np.diff(times) <= 0):
        raise RecordingError(f"{path}: cannot be written: two frames lie less than a microsecond apart")
    table = np.column_stack([times, recording.positions.reshape(len(recording), -1)])
    table = np.round(np.where(np.isfinite(table), table, np.nan), 6) + 0.0  # + 0.0: no "-0.000000"
    row_format = ",".join(["%.6f"] * len(COLUMNS))
    rows = (row_format % tuple(row) for row in table.tolist())
    data = "\n".join([",".join(COLUMNS), *rows, ""]).replace("nan", "").encode("ascii")
    write_whole(path, gzip.compress(data, compresslevel=6, mtime=0) if path.suffix == ".gz" else data)


def read_skeleton_csv(path: Path) -> Recording:
    """Read a skeleton CSV, plain or gzip by its content; columns in any order, further columns ignored.

    Raises `RecordingError`, one line that names the file and where it can the line and column, for whatever is not
    such a recording: see the checks below. A recording of one frame is readable; scoring refuses it.
    """
    with open_recording(path) as file:
        try:
            table = np.concatenate(list(_tables(path, _text(file))))
        except EOFError:
            raise RecordingError(f"{path}: the gzip is cut short; copy or record it again") from None
        except (gzip.BadGzipFile, zlib.error):
            raise RecordingError(f"{path}: the gzip is damaged; copy or record it again") from None
        except UnicodeDecodeError:
            raise RecordingError(f"{path}: is not text; a skeleton CSV was expected") from None
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
    positions = table[:, 1:].reshape(len(table), len(JOINTS), 3)
    seen = np.isfinite(positions).all(axis=2)
    if not len(table):
        raise RecordingError(f"{path}: has a header and no frames")
    if not seen.any():
        raise RecordingError(f"{path}: no joint was seen in any of its {len(table)} frames")
    return recording_of(table[:, 0], positions, planar=not positions[seen][:, 2].any())


def _text(file: BinaryIO) -> io.TextIOWrapper:
    """The file's text, unzipped where need be, without a byte order mark and with any line ends as newlines."""
    zipped = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    binary = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file
    return io.TextIOWrapper(binary, encoding="utf-8-sig", newline=None)


def _tables(path: Path, text: io.TextIOWrapper) -> Iterator[NDArray[np.float64]]:
    """The rows as tables (rows, 52) in the order of COLUMNS, a block at a time, so that a bomb is refused early."""
    header = [name.strip() for name in text.readline(_LONGEST_LINE).split(",")]
    picked = _picked(path, header)
    yield np.empty((0, len(COLUMNS)))
    line_number = 2
    first_s, last_s = np.nan, -np.inf
    while block := text.read(_BLOCK):
        block += text.readline(_LONGEST_LINE)
        lines = block.split("\n")
        numbered = [(number, line) for number, line in enumerate(lines, line_number) if line]
        line_number += len(lines) - block.endswith("\n")
        if line_number > MOST_FRAMES + 2:
            raise RecordingError(f"{path}: has more than {MOST_FRAMES} rows; a recording is one exercise: cut it")
        if not numbered:
            continue
        table = _table(path, header, picked, numbered)
        _check_values(path, table, numbered)
        _check_times(path, np.concatenate([[last_s], table[:, 0]]), numbered)
        first_s, last_s = np.fmin(first_s, table[0, 0]), table[-1, 0]
        if last_s - first_s > LONGEST_S:
            raise RecordingError(f"{path}: goes on beyond two hours; is time_s in seconds?")
        yield table


def _picked(path: Path, header: list[str]) -> list[int]:
    """Where each of COLUMNS stands in `header`."""
    missing = next((name for name in COLUMNS if name not in header), None)
    if missing:
        raise RecordingError(f"{path}: is not a skeleton CSV: its first line has no column {missing!r}")
    twice = next((name for name in COLUMNS if header.count(name) > 1), None)
    if twice:
        raise RecordingError(f"{path}: line 1: the column {twice!r} is there more than once")
    return [header.index(name) for name in COLUMNS]


def _table(path: Path, header: list[str], picked: list[int], numbered: list[tuple[int, str]]) -> NDArray[np.float64]:
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
        raise _bad_cell(path, picked, numbered) from None


def _bad_cell(path: Path, picked: list[int], numbered: list[tuple[int, str]]) -> RecordingError:
    """The error that names the first cell that is no number."""
    for number, line in numbered:
        cells = line.split(",")
        for name, place in zip(COLUMNS, picked, strict=True):
            cell = cells[place].strip()
            if not _NUMBER.fullmatch(cell) and (cell != "" or name == "time_s"):
                return RecordingError(f"{path}: line {number}: {name} is {cell[:40]!r}, not a number")
    return RecordingError(f"{path}: line {numbered[0][0]} or after: not a row of numbers")


def _check_values(path: Path, table: NDArray[np.float64], numbered: list[tuple[int, str]]) -> None:
    far = np.argwhere(np.abs(table[:, 1:]) > FARTHEST)
    if len(far):
        row, column = far[0]
        value = table[row, column + 1]
        name = COLUMNS[column + 1]
        raise RecordingError(f"{path}: line {numbered[row][0]}: {name} is {value:g}, beyond any position")
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
