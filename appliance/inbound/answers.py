"""What became of a request goes back where its sender waits for it, by the way that loses nothing: the outbox."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from appliance.errors import OutboxError, RefusedError
from appliance.hospital.events import Received
from appliance.hospital.outbox import Outbox
from appliance.messages.answer import Answer, Outcome
from appliance.messages.model import encode
from appliance.messages.topics import Topics, address_of

_log = logging.getLogger(__name__)

KINDS = ("prescription", "reference", "command")
"""Of topics that the hospital writes to."""

LONGEST_CORRELATION = 1024
"""Bytes that are sent back; longer ones are refused."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked what: enough to answer, also after a restart. name: its topic below the box's own."""

    name: str
    response_topic: str | None
    correlation: bytes | None

    @classmethod
    def of(cls, received: Received, topics: Topics) -> Request:
        prefix = topics.status.removesuffix("status")
        return cls(received.topic.removeprefix(prefix)[:128], received.response_topic, received.correlation)


class Answers:
    """Any thread may answer. Where no response topic is named, the answer goes to `answer/<kind of request>`.

    A response topic must be one of the box's own `answer/...`: a box that published wherever it is told to would be
    anybody's hand at the broker.
    """

    def __init__(self, topics: Topics, outbox: Outbox) -> None:
        self._topics, self._outbox = topics, outbox

    def check(self, request: Request) -> None:
        """Raises `RefusedError` for a request that cannot be answered where it wants to."""
        if request.response_topic is not None and not self._is_ours(request.response_topic):
            raise RefusedError(f"response topic: must be {self._topics.answer('<name>')}", "response_topic")
        if request.correlation is not None and len(request.correlation) > LONGEST_CORRELATION:
            raise RefusedError(f"correlation data: at most {LONGEST_CORRELATION} bytes are sent back", "response_topic")

    def give(self, request: Request, outcome: Outcome, request_id: UUID | None = None, **what: Any) -> None:
        """what: the further fields of `Answer`. A disk that refuses is logged: nothing waits for an answer."""
        answer = Answer(
            box=self._topics.box, at=datetime.now(UTC), request=request.name, id=request_id, outcome=outcome, **what
        )
        _log.info("%s: %s%s", request.name, outcome, f" ({answer.reason})" if answer.reason else "")
        topic, correlation = request.response_topic, request.correlation
        if topic is None or not self._is_ours(topic):
            kind = request.name.partition("/")[0]
            topic = self._topics.answer(kind if kind in KINDS else "request")
        if correlation is not None and len(correlation) > LONGEST_CORRELATION:
            correlation = None
        try:
            self._outbox.put(topic, encode(answer), correlation=correlation)
        except OutboxError as error:
            _log.error("an answer is lost: %s", error)

    def refuse(self, request: Request, error: RefusedError) -> None:
        self.give(request, "refused", error.request, code=error.code, reason=str(error))

    def _is_ours(self, topic: str) -> bool:
        address = address_of(topic)
        return (
            address is not None
            and (address.site, address.box, address.kind) == (self._topics.site, self._topics.box, "answer")
            and bool(address.name)
            and not set(address.name) & set("+#\0")
        )
