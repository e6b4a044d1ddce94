"""What a batch has scored so far, kept beside its output, so that an interrupted run can go on."""

from __future__ import annotations

import contextlib
import fcntl
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
            self._stream = self._path.open("a+", encoding="utf-8")
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stream.seek(0)
            lines = self._stream.read().split("\n")[:-1]
            # Whole lines of the same run alone: a power cut may have torn the last one, or left it without meaning.
            kept = [self._first, *_readable(lines[1:])] if lines and lines[0] == self._first else []
            self.known = dict(map(json.loads, kept[1:]))
            # What stays is not written again: a full disk would take it away.
            self._stream.truncate(sum(len(line.encode("utf-8")) + 1 for line in kept))
            if not kept:
                self._write(self._first)
        except BlockingIOError:
            self._close()
            raise RecordingError(f"{self._path}: another batch with the same --out is at work") from None
        except (OSError, UnicodeDecodeError) as error:
            self._close()
            raise RecordingError(f"{self._path}: cannot be used, remove it: {error}") from None
        return self

    def note(self, row: int, what: object) -> None:
        """Writes one row down, at once."""
        try:
            self._write(json.dumps([row, what]))
        except OSError as error:
            raise RecordingError(f"{self._path}: cannot be written: {error.strerror}") from None

    def _write(self, line: str) -> None:
        assert self._stream is not None, "entered first"
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):  # what a full disk refused is refused again
                self._stream.close()


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


def _readable(lines: list[str]) -> Iterable[str]:
    """The first lines that say what a row is."""
    for line in lines:
        try:
            row, _ = json.loads(line)
        except (ValueError, TypeError):
            return
        if not isinstance(row, int):
            return
        yield line
