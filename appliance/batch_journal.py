"""What a batch has scored so far, kept beside its output, so that an interrupted run can go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from appliance.errors import RecordingError


class Journal:
    """One JSON line a row, in the order in which rows are done, in OUT.unfinished; a context manager.

    known: row number -> what was noted for it by an earlier run with the same identity; a journal of any other run is
    begun anew, and so is one whose files changed since. Leaving without an exception removes the file.
    Raises `RecordingError` where the disk refuses.
    """

    def __init__(self, out: Path, identity: str) -> None:
        self._path = out.with_name(f"{out.name}.unfinished")
        self._first = json.dumps({"identity": identity})
        self.known: dict[int, object] = {}
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            lines = self._path.read_text("utf-8").split("\n")[:-1] if self._path.exists() else []
            # Whole lines of the same run alone: a power cut may have torn the last one, or left it without meaning.
            if lines and lines[0] == self._first:
                self.known = dict(_readable(lines[1:]))
            self._stream = self._path.open("w", encoding="utf-8")
            self._write(self._first, *(json.dumps(item) for item in self.known.items()))
        except (OSError, UnicodeDecodeError) as error:
            raise RecordingError(f"{self._path}: cannot be used, remove it: {error}") from None
        return self

    def note(self, row: int, what: object) -> None:
        """Writes one row down, at once."""
        try:
            self._write(json.dumps([row, what]))
        except OSError as error:
            raise RecordingError(f"{self._path}: cannot be written: {error.strerror}") from None

    def _write(self, *lines: str) -> None:
        assert self._stream is not None, "entered first"
        self._stream.writelines(f"{line}\n" for line in lines)
        self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()
        if kind is None:
            self._path.unlink(missing_ok=True)


def identity_of(parts: Iterable[object], files: Iterable[Path]) -> str:
    """Differs as soon as a part does, or the size or the time of a file."""
    digest = hashlib.sha256("\n".join(map(repr, parts)).encode())
    for path in sorted(set(files)):
        try:
            state = path.stat()
            digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{path} missing\n".encode())
    return digest.hexdigest()


def _readable(lines: list[str]) -> Iterable[tuple[int, object]]:
    for line in lines:
        try:
            row, what = json.loads(line)
            yield int(row), what
        except (ValueError, TypeError):
            return
