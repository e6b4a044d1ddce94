"""Which reference is taken from the broker: one that the hospital's key signed, whole, and fit to score against."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.errors import NotScorableError, RecordingError, RefusedError, UnknownExerciseError
from appliance.exercises import exercise_by_id
from appliance.hospital.signature import digest_of_bytes, is_signed, statement
from appliance.messages.reference import Reference, parse_reference
from appliance.recording.files import read_recording
from appliance.references import ReferenceFolder, SignedReference
from appliance.scoring.options import options_for
from appliance.scoring.prepare import prepare_reference

MOST_BYTES = 512 << 20
"""In the references folder: some five hundred references of two takes."""

_DIGEST = re.compile(r"(sha256:)?([0-9a-f]{64})")


def digest_in(level: str) -> str:
    """The digest that a topic's last level names, with or without `sha256:`. Raises `RefusedError`."""
    found = _DIGEST.fullmatch(level)
    if found is None:
        raise RefusedError("reference: the topic's last level is no SHA-256", "bad_digest")
    return f"sha256:{found[2]}"


def admit_reference(level: str, payload: bytes, keys: Sequence[Ed25519PublicKey], folder: ReferenceFolder) -> bool:
    """Stores what is sound; False if it was here already. Nothing of it is looked into before its signature is.

    level: the topic's last. Raises `RefusedError`, and `RecordingError` where the disk refuses.
    """
    digest = digest_in(level)
    reference = parse_reference(payload)
    if not keys:
        raise RefusedError("reference: this box was given no key to check signatures by; enrol it", "no_key")
    if not reference.digest == digest == digest_of_bytes(reference.takes[0]):
        raise RefusedError("reference.digest: topic, digest and first take do not agree", "bad_digest")
    if not is_signed(keys, statement(reference.exercise, reference.issued, reference.takes), reference.signature):
        raise RefusedError("reference.signature: it is not the hospital's, or something was changed", "bad_signature")
    signed = SignedReference(
        digest=digest,
        exercise=reference.exercise,
        issued=reference.issued,
        second=digest_of_bytes(reference.takes[1]) if len(reference.takes) > 1 else None,
        signature=reference.signature,
    )
    if folder.signed(digest) == signed and folder.holds(digest):
        return False
    _check_usable(reference)
    if folder.bytes() + sum(map(len, reference.takes)) > MOST_BYTES:
        raise RefusedError("reference: the box holds too many; withdraw some", "no_space")
    folder.store(signed, reference.takes)
    return True


def _check_usable(reference: Reference) -> None:
    try:
        options = options_for(exercise_by_id(reference.exercise))
    except UnknownExerciseError as error:
        raise RefusedError(f"reference.exercise: {error}", "unknown_exercise") from None
    with tempfile.TemporaryDirectory() as folder:
        for number, take in enumerate(reference.takes):
            file = Path(folder) / f"take {number + 1}"
            file.write_bytes(take)
            try:
                prepare_reference(read_recording(file), options)
            except (RecordingError, NotScorableError) as error:
                what = str(error).removeprefix(f"{file}: ")
                raise RefusedError(f"reference.takes.{number}: {what}", "not_scorable") from None
