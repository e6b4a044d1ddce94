"""Reference recordings in a local folder, found by the SHA-256 of their bytes; a file's name means nothing."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from appliance.errors import UnknownReferenceError
from appliance.recording.files import read_recording
from appliance.skeleton.standard import Recording


def digest_of(file: Path) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


_log = logging.getLogger(__name__)


class ReferenceFolder:
    """The references a box holds. A file is hashed once, and again when it changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[Path, tuple[tuple[int, int], str]] = {}

    def _digest(self, file: Path) -> str:
        status = file.stat()
        version = (status.st_mtime_ns, status.st_size)
        known = self._digests.get(file)
        if known is None or known[0] != version:
            known = self._digests[file] = (version, digest_of(file))
        return known[1]

    def find(self, digest: str) -> Path:
        """The file with that digest. Raises `UnknownReferenceError`."""
        files = sorted(path for path in self._folder.glob("*") if path.is_file()) if self._folder.is_dir() else []
        for file in files:
            try:
                if self._digest(file) == digest:
                    return file
            except OSError as error:
                _log.warning("reference %s cannot be read: %s", file, error.strerror)
        raise UnknownReferenceError(
            f"no reference with digest {digest} among the {len(files)} files in {self._folder}; copy it there"
        )

    def load(self, digest: str) -> Recording:
        """Raises `UnknownReferenceError`, or `RecordingError` where the file is no recording."""
        return read_recording(self.find(digest))
