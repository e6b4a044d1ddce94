"""What all payloads share: they are frozen, refuse unknown keys, and become JSON that any parser reads."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from appliance.printable import printable

SCHEMA_VERSION = "1.0"
"""Of every schema here; its major number is the one in the topics. Goes into each message's user properties."""


class Message(BaseModel):
    """A payload or a part of one. An attribute's docstring becomes its description in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    leaves_out_null: ClassVar[bool] = False
    """Whether a key without a value is left out; otherwise it is null."""


def encode(message: Message) -> bytes:
    """The payload to publish: UTF-8 JSON. Models hold no NaN or infinity, so neither does the JSON."""
    return message.model_dump_json(exclude_none=message.leaves_out_null).encode()


def fault_of(error: ValidationError, *whence: str) -> str:
    """The first fault, in one line, and the key it is at, below `whence`. What was read is never quoted: it may be a
    patient's."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(_printable(key) for key in (*whence, *fault["loc"]))
    what = printable(fault["msg"].removeprefix("Value error, "))  # it may name a single character of what was read
    return f"{place}: {what}" if place else what


def _printable(key: str | int) -> str:
    return ascii(str(key)[:64])[1:-1]


def _iso(time: object) -> object:
    if not isinstance(time, str):
        return time
    try:
        if not re.match(r"\d{4}-\d\d-\d\d[T ]", time):
            raise ValueError
        return datetime.fromisoformat(time)
    except ValueError:
        raise ValueError("is not an ISO 8601 time such as 2026-01-31T08:00:00Z") from None


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_FOLDERS = re.compile(r"(?<![\w:/.~-])/(?:[^\s/:;,'\"()<>]+/)+")


def without_folders(text: str) -> str:
    """Files in it by their names alone: where they lie on the box is of use to nobody elsewhere."""
    return _FOLDERS.sub("", text)


Told = Annotated[str, AfterValidator(without_folders)]
"""What happened on the box, in words, and without its folders."""

Utc = Annotated[AwareDatetime, BeforeValidator(_iso), AfterValidator(_utc)]
"""An ISO 8601 time with an offset, kept and written in UTC."""

Number = Annotated[float | None, BeforeValidator(_finite)]
"""A number that may be unknown: JSON has no NaN, so NaN and infinity become null."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A number that must be known."""

Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(_finite)]
"""A part of the whole, 0..1, or null where unknown."""

Count = Annotated[int, Field(ge=0)]

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
"""An exercise's or alert's id: it is a level of a topic."""

Subject = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
"""The hospital's own identifier of the patient."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256 of a file's content: `sha256:` and 64 lower-case hexadecimal digits."""
