"""`reference/<digest>`: a therapist's recording, signed by the hospital and retained; one or two takes."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from appliance.messages.inbound import Inbound, read_inbound
from appliance.messages.model import Digest, Message, Name, Utc

MAX_BYTES = 4_000_000
"""Of the payload; two takes of a minute have 1.5 million."""


def _decoded(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


Take = Annotated[
    bytes,
    Field(min_length=1),
    BeforeValidator(_decoded),
    PlainSerializer(_encoded, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "minLength": 4}),
]
"""A recording's bytes, in base64: a skeleton CSV (also gzip), FineRehab-style JSON, or a session file."""


class Reference(Inbound):
    """A reference recording. The signature is over its exercise, its time and the digests of its takes."""

    digest: Digest
    """SHA-256 of the first take: the name that prescriptions use."""
    exercise: Name
    """The exercise it shows."""
    issued: Utc
    """When it was signed."""
    takes: Annotated[tuple[Take, ...], Field(min_length=1, max_length=2)]
    """The recording that patients are scored against; then a second one, which tells the instructor's own variation."""
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]
    """Ed25519, 64 bytes in base64, by the key that the box was given at its enrolment."""


class RecordedTake(Message):
    """One take that a therapist recorded on a box, unsigned."""

    digest: Digest
    """SHA-256 of the recording."""
    repetitions: Annotated[int, Field(ge=0)]
    """How many whole ones were found in it."""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """How long it is."""
    recording: Take
    """A skeleton CSV, gzip, in base64."""


class RecordedReference(Message):
    """What came of `record-reference`. It becomes a reference when the hospital has signed it, not before."""

    exercise: Name
    """The exercise it shows."""
    session: UUID
    """Names the recording; the box keeps nothing of it."""
    takes: tuple[RecordedTake, ...]
    """One or two, as asked for."""


def parse_reference(payload: bytes) -> Reference:
    """Raises `RefusedError` as `read_inbound` does. An empty payload withdraws: tell it apart before calling."""
    return read_inbound(Reference, "reference", payload, MAX_BYTES)
