"""What a message says, checked as far as this consumer relies on it: keys of docs/schemas/result.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


class PoisonError(Exception):
    """A message that can never be stored, with the reason. It is set aside; to try again would change nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came. received: aware. number: the broker's, under which it is acknowledged."""

    topic: str
    payload: bytes
    received: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table `result`."""

    id: UUID
    site: str
    box: str
    sequence: int
    subject: str
    exercise: str
    started: datetime
    status: str
    replaces: UUID | None
    pose_dissimilarity: float | None
    dynamics_dissimilarity: float | None
    synthetic: bool
    received: datetime
    payload: str
    """The whole document, for what has no column. Keys that are not known here yet are in it."""


def result_of(message: Message) -> Result:
    """Raises `PoisonError`. A key that this consumer does not know is no fault: a later box may send more."""
    document = _document(message.payload)
    site, box = message.topic.split("/")[2:4]
    try:
        if document["box"] != box:  # the broker's rules vouch for the topic, nobody for the payload
            raise PoisonError(f"it says that it is of box {document['box']!r}, but it came from {box}")
        sequence = document["sequence"]
        if type(sequence) is not int or not 0 < sequence < 1 << 63:
            raise PoisonError(f"sequence {sequence!r} is not a positive number")
        started = datetime.fromisoformat(document["started"])
        if started.tzinfo is None:
            raise PoisonError("started has no time zone")
        correction = document.get("correction")
        return Result(
            id=UUID(document["id"]),
            site=site,
            box=box,
            sequence=sequence,
            subject=_text(document, "subject"),
            exercise=_text(document, "exercise"),
            started=started,
            status=_text(document, "status"),
            replaces=UUID(correction["replaces"]) if correction else None,
            pose_dissimilarity=_number(document["score"], "pose_dissimilarity"),
            dynamics_dissimilarity=_number(document["score"], "dynamics_dissimilarity"),
            synthetic=bool(document["synthetic"]),
            received=message.received,
            payload=message.payload.decode(),
        )
    except KeyError as error:
        raise PoisonError(f"it has no {error.args[0]}") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise PoisonError(f"{type(error).__name__}: {error}") from None


def _document(payload: bytes) -> dict[str, Any]:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PoisonError(f"it is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise PoisonError("it is no JSON object")
    return document


def _text(document: dict[str, Any], key: str) -> str:
    if not isinstance(document[key], str):
        raise PoisonError(f"{key} is no text")
    text = str(document[key])
    text.encode()  # JSON can hold half a character, which no database takes
    return text


def _number(document: dict[str, Any], key: str) -> float | None:
    value = document[key]
    return None if value is None else float(value)
