"""JSON Schemas of the payloads, Draft 2020-12, made from the models."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from appliance.messages.catalogue import TOPICS
from appliance.messages.inbound import Inbound
from appliance.messages.model import Message

PAYLOADS: dict[str, type[Message]] = {topic.name: topic.payload for topic in TOPICS}
"""Model by name of its schema's file."""


def mode_of(model: type[Message]) -> Literal["validation", "serialization"]:
    """An inbound payload's schema says what is accepted, an outbound one's what is sent."""
    return "validation" if issubclass(model, Inbound) else "serialization"


def schema_of(name: str) -> dict[str, JsonValue]:
    """What the box sends or accepts there; name: one of `PAYLOADS`."""
    model = PAYLOADS[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rehabbox:1:{name}",
        **model.model_json_schema(mode=mode_of(model)),
    }
