"""Reference recordings in a local folder, found by the SHA-256 of their bytes; a file's name means nothing.

Those that came over the broker lie there too: `<digest>` and, where there is a second take, `<digest>.second`; beside
them `<digest>.signed.json` says who vouches for them. Files without one were copied there by hand.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from appliance.errors import RecordingError, UnknownReferenceError
from appliance.recording.disk import write_whole
from appliance.recording.files import read_recording
from appliance.skeleton.standard import Recording

_SIGNED = ".signed.json"
_SECOND = ".second"


def digest_of(file: Path) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


_log = logging.getLogger(__name__)


class SignedReference(BaseModel):
    """What is known of a reference that came over the broker. withdrawn: to be removed once nobody needs it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str
    exercise: str
    issued: AwareDatetime
    second: str | None = None
    signature: str
    withdrawn: AwareDatetime | None = None


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
            f"no reference with digest {digest} among the {len(files)} files in {self._folder.name}/: send it"
        )

    def holds(self, digest: str) -> bool:
        try:
            self.find(digest)
        except UnknownReferenceError:
            return False
        return True

    def load(self, digest: str) -> Recording:
        """Raises `UnknownReferenceError`, or `RecordingError` where the file is no recording."""
        return read_recording(self.find(digest))

    def load_second(self, digest: str) -> Recording | None:
        """The instructor's second take, where there is a usable one."""
        signed = self.signed(digest)
        if signed is None or signed.second is None:
            return None
        try:
            return self.load(signed.second)
        except (UnknownReferenceError, RecordingError) as error:
            _log.warning("the second take of %s cannot be used: %s", digest, error)
            return None

    def signed(self, digest: str) -> SignedReference | None:
        """What vouches for it; None for one that was copied here, or is not here."""
        try:
            return SignedReference.model_validate_json(self._vouching(digest).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            _log.warning("%s is not readable: %s", self._vouching(digest), error)
            return None

    def store(self, signed: SignedReference, takes: Sequence[bytes]) -> None:
        """Durably; what vouches for the takes comes last. Raises `RecordingError` where the disk refuses."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"{self._folder}: cannot be written: {error.strerror}") from None
        for file, take in zip(self._files(signed.digest), takes, strict=False):
            write_whole(file, take)
        self._vouch(signed)

    def withdraw(self, digest: str) -> bool:
        """It is to be removed; False for one that did not come over the broker. Raises `RecordingError`."""
        signed = self.signed(digest)
        if signed is None:
            return False
        if signed.withdrawn is None:
            self._vouch(signed.model_copy(update={"withdrawn": datetime.now(UTC)}))
        return True

    def remove_withdrawn(self, needed: frozenset[str]) -> list[str]:
        """Removes those that were withdrawn and are not among `needed`; returns their digests. Raises `OSError`."""
        removed = []
        for file in sorted(self._folder.glob(f"*{_SIGNED}")):
            digest = f"sha256:{file.name.removesuffix(_SIGNED)}"
            signed = self.signed(digest)
            if signed is not None and signed.withdrawn is not None and digest not in needed:
                for path in (file, *self._files(digest)):  # without what vouches for it, it is nobody's any more
                    path.unlink(missing_ok=True)
                removed.append(digest)
        return removed

    def bytes(self) -> int:
        """All there is."""
        return sum(file.stat().st_size for file in self._folder.glob("*") if file.is_file())

    def _files(self, digest: str) -> tuple[Path, Path]:
        name = digest.removeprefix("sha256:")
        return self._folder / name, self._folder / f"{name}{_SECOND}"

    def _vouching(self, digest: str) -> Path:
        return self._folder / f"{digest.removeprefix('sha256:')}{_SIGNED}"

    def _vouch(self, signed: SignedReference) -> None:
        write_whole(self._vouching(signed.digest), signed.model_dump_json().encode())
