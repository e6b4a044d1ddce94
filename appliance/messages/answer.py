"""`answer/<name>`: what became of a prescription, reference or command, with its correlation data."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from appliance.errors import Refusal
from appliance.messages.model import Count, Digest, Message, Told, Utc
from appliance.messages.reference import RecordedReference

Outcome = Literal["accepted", "done", "failed", "refused", "unsupported"]


class Check(Message):
    """One check of a self-test."""

    name: str
    """What was tried."""
    ok: bool
    """Whether it is fit for a session."""
    detail: str
    """What was found."""
    remedy: str
    """What to do; empty where nothing is wrong."""


class SelfTestReport(Message):
    """What a self-test found."""

    checks: tuple[Check, ...]
    """All that were tried."""


class ErasedFile(Message):
    """A file that is gone."""

    name: str
    """Its path in the box's state folder."""
    bytes: Count
    """How large it was."""
    sha256: Digest
    """Of what was in it."""


class Erasure(Message):
    """What was erased of a subject, and what a search found afterwards in every file the box keeps."""

    files: Count
    """How many files were overwritten and removed."""
    bytes: Count
    """How large they were together."""
    erased: tuple[ErasedFile, ...]
    """The first thousand of them."""
    messages: Count
    """Unsent messages that were erased."""
    unsent: Count
    """Messages that still wait for the broker and are erased once it has them; 0 when all is done."""
    searched_files: Count
    """Files that were searched afterwards, byte by byte."""
    searched_bytes: Count
    """How large they are together."""
    found: tuple[str, ...]
    """Those that still hold the subject's identifier or a session's, or cannot be read; empty when nothing is left."""


class LogLevel(Message):
    """A changed log level."""

    before: str
    """The least that was logged before."""
    now: str
    """The least that is logged now."""


class Answer(Message):
    """What became of one request. A command that takes a while is answered `accepted` first, then once more."""

    box: str
    """The box's id."""
    at: Utc
    """When this was so."""
    request: str
    """The request's topic, below the box's own: `prescription`, `command/self-test`."""
    id: UUID | None
    """The request's id; null where it has none or could not be read."""
    outcome: Outcome
    """`accepted`: what came of it follows. `refused`: nothing was changed. `unsupported`: this box cannot do it.
    `failed`: it was tried."""
    code: Refusal | None = None
    """Why it was refused; null otherwise."""
    reason: Told | None = None
    """Why, for people; null where it went well."""
    self_test: SelfTestReport | None = None
    """The report of `self-test`."""
    recorded: RecordedReference | None = None
    """What `record-reference` recorded."""
    erasure: Erasure | None = None
    """The proof of `forget-patient`."""
    certificate_request: Annotated[str, Field(max_length=4096)] | None = None
    """A request for a new certificate (PKCS#10, PEM), of a box that has no EST server to take it to."""
    log_level: LogLevel | None = None
    """What `set-log-level` changed."""
    corrected: UUID | None = None
    """Id of the result that `correct-result` published in the place of the one it named."""
    detail: Annotated[str | None, Field(max_length=1000)] = None
    """What else there is to say, in words."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.outcome == "refused") != (self.code is not None):
            raise ValueError("a refusal has a code, and nothing else has one")
        if self.outcome in ("refused", "failed", "unsupported") and not self.reason:
            raise ValueError(f"{self.outcome} needs a reason")
        return self
