"""Every topic in one table. Schemas, the AsyncAPI document and the examples in `docs/` are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from appliance.fhir.elements import Observation
from appliance.fhir.observation import observation_of
from appliance.messages import examples
from appliance.messages.alert import Alert
from appliance.messages.answer import Answer
from appliance.messages.command import COMMANDS
from appliance.messages.health import Health
from appliance.messages.model import Message
from appliance.messages.prescription import Prescription
from appliance.messages.reference import Reference
from appliance.messages.result import Result
from appliance.messages.session import Session
from appliance.messages.status import Status
from appliance.messages.topics import PREFIX

LEVELS = {
    "site": "The hospital's name for the place.",
    "box": "The box's id: the common name of its certificate.",
    "code": "What kind of trouble.",
    "session": "The session's id, a UUID.",
    "exercise": "The exercise's id.",
    "digest": "SHA-256 of the reference's first take: 64 hexadecimal digits, also after `sha256:`.",
    "name": "As the request's response topic has it; without one `prescription`, `reference`, `command`.",
}
"""What stands in the braces of a topic."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of topic.

    path: below `rehabbox/1/<site>/<box>/`, with a level that varies in braces. sender: who publishes. expiry_s: after
    that the broker drops it; None: never. answered: an `answer` comes back on the response topic that the sender names,
    with its correlation data.
    """

    path: str
    sender: Literal["box", "hospital"]
    payload: type[Message]
    qos: Literal[0, 1]
    retained: bool
    summary: str
    example: Message
    expiry_s: int | None = None
    answered: bool = False

    @property
    def name(self) -> str:
        """Of its files in `docs/`: the path without the level that varies."""
        return "-".join(level for level in self.path.split("/") if not level.startswith("{"))

    @property
    def address(self) -> str:
        return f"{PREFIX}/{{site}}/{{box}}/{self.path}"

    @property
    def levels(self) -> tuple[str, ...]:
        """The names in the address's braces."""
        return tuple(level[1:-1] for level in self.address.split("/") if level.startswith("{"))


TOPICS: tuple[Topic, ...] = (
    Topic(
        "status", "box", Status, 1, True, example=examples.STATUS,
        summary="Whether the box is there and what runs on it; the broker publishes `lost` as its last will.",
    ),
    Topic(
        "health", "box", Health, 0, False, expiry_s=90, example=examples.HEALTH,
        summary="How box and devices are, every half minute.",
    ),
    Topic(
        "alert/{code}", "box", Alert, 1, True, example=examples.ALERT,
        summary="What is wrong and what to do about it; retained until it is over, then taken off by an empty message.",
    ),
    Topic(
        "session/{session}", "box", Session, 1, False, example=examples.SESSION,
        summary="A session's state after each step, to the last: done, or abandoned and why.",
    ),
    Topic(
        "result/{exercise}", "box", Result, 1, False, example=examples.RESULT,
        summary="What came of one exercise. Kept on the box until the broker has it; comes at least once.",
    ),
    Topic(
        "fhir/{exercise}", "box", Observation, 1, False, example=observation_of(examples.RESULT),
        summary="The same result as a FHIR R4 Observation; comes with each result, and as often. "
        "On `fhir/session` what the patient answered after it.",
    ),
    Topic(
        "prescription", "hospital", Prescription, 1, True, example=examples.PRESCRIPTION,
        summary="What one subject is to do, from when until when. An empty message withdraws it.", answered=True,
    ),
    Topic(
        "reference/{digest}", "hospital", Reference, 1, True, example=examples.SIGNED_REFERENCE, answered=True,
        summary="A signed recording to score against. An empty message withdraws it.",
    ),
    *(
        Topic(
            f"command/{name}", "hospital", payload, 1, False, example=examples.COMMANDS[name], answered=True,
            expiry_s=examples.COMMAND_LIFE_S, summary=(payload.__doc__ or "").partition("\n")[0],
        )
        for name, payload in COMMANDS.items()
    ),
    Topic(
        "answer/{name}", "box", Answer, 1, False, example=examples.ANSWER,
        summary="What became of a prescription, reference or command, with its correlation data.",
    ),
)  # fmt: skip
