"""A question to a box and its answer, by MQTT 5's response topic and correlation data; the hospital's side."""

from __future__ import annotations

import json
from secrets import token_hex
from time import monotonic
from typing import Any

from pydantic import BaseModel, ValidationError

from appliance.errors import BrokerError
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.messages.model import fault_of
from appliance.messages.topics import Topics


def ask(
    address: BrokerAddress,
    topics: Topics,
    topic: str,
    payload: bytes,
    wait_s: float,
    *,
    expiry_s: int | None = None,
    retain: bool = False,
) -> dict[str, Any] | None:
    """The box's last word on it: `accepted` for a command is not. None where none came in time. Raises `BrokerError`.

    wait_s: for the answer. expiry_s: after that the broker drops the question.
    """
    name, correlation = f"ask-{token_hex(4)}", token_hex(8).encode()
    answers = topics.answer(name)
    last: dict[str, Any] | None = None
    with HospitalClient(address, name, (answers,)) as client:
        client.publish(
            topic, payload, retain=retain, response_topic=answers, correlation=correlation, expiry_s=expiry_s
        )
        deadline = monotonic() + wait_s
        while (left_s := deadline - monotonic()) > 0:
            heard = client.next(left_s)
            if heard is None or heard.correlation != correlation:
                continue
            last = _read(heard.payload, topics.box)
            if last.get("outcome") != "accepted" or not str(last.get("request")).startswith("command/"):
                break
    return last


class _Outline(BaseModel):
    """What is relied upon in an answer, of whatever version the box is."""

    outcome: str
    reason: str | None = None
    certificate_request: str | None = None


def _read(payload: bytes, box: str) -> dict[str, Any]:
    try:
        _Outline.model_validate_json(payload)
    except ValidationError as error:
        raise BrokerError(f"the box {box} gave an answer that is none: {fault_of(error)}") from None
    return dict(json.loads(payload))
