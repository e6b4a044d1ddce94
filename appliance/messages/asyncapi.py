"""The topics as one AsyncAPI 3.0 document, with the MQTT bindings 0.2.0; the application it describes is a box."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from appliance.messages.catalogue import LEVELS, TOPICS, Topic
from appliance.messages.limits import KEPT_FOR_US_S, LARGEST_MESSAGE
from appliance.messages.model import SCHEMA_VERSION, encode
from appliance.messages.schema import PAYLOADS, mode_of

Json = dict[str, Any]

BINDING = {"bindingVersion": "0.2.0"}
KEEPALIVE_S = 30


def asyncapi() -> Json:
    """The whole document; every reference in it leads to a place within it."""
    payloads, components = _schemas()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:rehabbox:1",
        "info": {
            "title": "RehabBox",
            "version": SCHEMA_VERSION,
            "description": "What a rehabilitation box publishes to the hospital's MQTT broker, and what it accepts.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"hospital": _server()},
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {topic.name: _operation(topic) for topic in TOPICS},
        "components": {
            "messages": _messages(payloads),
            "schemas": components,
            "messageTraits": {"rehabbox": _trait()},
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": "TLS 1.3 client certificate; its common name is the user name and the box's id.",
                }
            },
        },
    }


def _server() -> Json:
    will = {"topic": TOPICS[0].address, "qos": 1, "retain": True, "message": "status with the state `lost`"}
    mqtt = {"clientId": "{box}", "cleanSession": False, "lastWill": will, "keepAlive": KEEPALIVE_S}
    limits = {"maximumPacketSize": LARGEST_MESSAGE, "sessionExpiryInterval": KEPT_FOR_US_S}
    return {
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5.0",
        "description": "The hospital's own broker.",
        "security": [_ref("components", "securitySchemes", "certificate")],
        "bindings": {"mqtt": mqtt | limits | BINDING},
    }


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.address,
        "description": topic.summary,
        "parameters": {level: {"description": LEVELS[level]} for level in topic.levels},
        "messages": {topic.name: _ref("components", "messages", topic.name)},
    }


def _operation(topic: Topic) -> Json:
    mqtt: Json = {"qos": topic.qos, "retain": topic.retained}
    if topic.expiry_s is not None:
        mqtt["messageExpiryInterval"] = topic.expiry_s
    operation: Json = {
        "action": "send" if topic.sender == "box" else "receive",
        "channel": _ref("channels", topic.name),
        "summary": topic.summary,
        "messages": [_ref("channels", topic.name, "messages", topic.name)],
        "bindings": {"mqtt": mqtt | BINDING},
    }
    if topic.answered:
        operation["reply"] = {
            "channel": _ref("channels", "answer"),
            "messages": [_ref("channels", "answer", "messages", "answer")],
        }
    return operation


def _messages(payloads: Json) -> Json:
    examples = {topic.name: topic.example for topic in TOPICS}
    messages: Json = {}
    for name, model in PAYLOADS.items():
        messages[name] = {
            "name": name,
            "title": model.__name__,
            "summary": (model.__doc__ or "").partition("\n")[0],
            "contentType": "application/json",
            "traits": [_ref("components", "messageTraits", "rehabbox")],
            "payload": payloads[name],
        }
        if name in examples:
            messages[name]["examples"] = [{"name": name, "payload": json.loads(encode(examples[name]))}]
    return messages


def _trait() -> Json:
    properties = {
        "schema": {"type": "string", "description": "Version of the payload's schema.", "examples": [SCHEMA_VERSION]},
        "time": {"type": "string", "format": "date-time", "description": "The sender's clock when it was sent."},
    }
    mqtt = {"contentType": "application/json"} | BINDING
    headers = {"type": "object", "description": "The user properties of MQTT 5.", "properties": properties}
    return {"headers": headers, "bindings": {"mqtt": mqtt}}


def _schemas() -> tuple[Json, Json]:
    """The payload's schema by name of message, and all definitions they refer to."""
    wanted = {name: (model, mode_of(model)) for name, model in PAYLOADS.items()}
    found, whole = models_json_schema(list(wanted.values()), ref_template="#/components/schemas/{model}")
    return {name: found[key] for name, key in wanted.items()}, whole.get("$defs", {})


def _ref(*path: str) -> Json:
    return {"$ref": "#/" + "/".join(path)}
