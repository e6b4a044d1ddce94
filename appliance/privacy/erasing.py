"""Files are overwritten, then removed, and afterwards searched for: what is erased can be named, and shown to be gone.

Overwriting reaches the file, not every cell of a flash memory that once held it: for that, the disk is encrypted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from appliance.messages.answer import ErasedFile
from appliance.recording.disk import sync_folder
from appliance.watchdog import Alive

_log = logging.getLogger(__name__)

_BLOCK = 1 << 20
_SHORTEST = 6
"""Letters; a shorter identifier is searched for as JSON has it, in quotes, for by itself it would be found anywhere."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search went through. found: files that hold what was searched for, or could not be read."""

    files: int
    bytes: int
    found: tuple[str, ...]


def erase_file(path: Path, base: Path) -> ErasedFile:
    """Overwritten with zeros on the disk, then removed. Raises `OSError`; the file is then still there."""
    digest = hashlib.sha256()
    with path.open("r+b") as file:
        size = 0
        while block := file.read(_BLOCK):
            digest.update(block)
            file.seek(size)
            file.write(bytes(len(block)))
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)
    return ErasedFile(name=str(path.relative_to(base)), bytes=size, sha256=f"sha256:{digest.hexdigest()}")


def erase_tree(folder: Path, base: Path, alive: Alive) -> list[ErasedFile]:
    """Every file below `folder`, and its folders; `folder` itself stays. Links are removed, not followed."""
    erased = []
    for path in sorted(folder.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        alive()
        if path.is_symlink():
            path.unlink()
        elif path.is_dir():
            with suppress(OSError):  # something was written there meanwhile
                path.rmdir()
        elif path.is_file():
            erased.append(erase_file(path, base))
    return erased


def needles(subject: str, others: Iterable[str] = ()) -> tuple[bytes, ...]:
    """The bytes by which a subject's data would be found: the identifier as text and as in JSON, and other names."""
    quoted = {json.dumps(subject).encode(), json.dumps(subject, ensure_ascii=False).encode()}
    plain = {subject.encode()} if len(subject) >= _SHORTEST else set()
    return tuple(sorted(quoted | plain | {name.encode() for name in others}))


def search(
    folder: Path, wanted: Sequence[bytes], alive: Alive, instead: Mapping[Path, bytes] = MappingProxyType({})
) -> Search:
    """Reads every file below `folder` from end to end. instead: what a file there is about to hold."""
    files = size = 0
    found = []
    overlap = max(map(len, wanted), default=1) - 1
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_symlink():
                continue
            if path.is_dir():
                os.scandir(path).close()  # what is in one that cannot be read was not listed
            if not path.is_file():
                continue
            with BytesIO(instead[path]) if path in instead else path.open("rb") as file:
                rest, held = b"", False
                while block := file.read(_BLOCK):
                    alive()
                    size += len(block)
                    held = held or any(one in rest + block for one in wanted)
                    rest = block[-overlap:] if overlap else b""
        except FileNotFoundError:
            continue  # a temporary one
        except OSError as error:
            _log.error("%s was not searched: %s", path, error)
            found.append(str(path.relative_to(folder)))
            continue
        files += 1
        if held:
            found.append(str(path.relative_to(folder)))
    return Search(files, size, tuple(found))
