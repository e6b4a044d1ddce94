"""JSON Schemas of the payloads, Draft 2020-12, made from the models. `tools/schemas` writes them to `docs/schemas`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from appliance.messages.alert import Alert
from appliance.messages.health import Health
from appliance.messages.model import Message
from appliance.messages.prescription import Inbound, Prescription
from appliance.messages.result import Result
from appliance.messages.session import Session
from appliance.messages.status import Status

PAYLOADS: dict[str, type[Message]] = {
    "status": Status,
    "prescription": Prescription,
    "result": Result,
    "session": Session,
    "alert": Alert,
    "health": Health,
}
"""Model by kind of topic."""


def schema_of(kind: str) -> dict[str, JsonValue]:
    """What the box sends (outbound) or accepts (inbound) on topics of this kind."""
    model = PAYLOADS[kind]
    mode: Literal["validation", "serialization"] = "validation" if issubclass(model, Inbound) else "serialization"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rehabbox:1:{kind}",
        **model.model_json_schema(mode=mode),
    }


def schema_files() -> dict[str, str]:
    """File name to content, one file a kind of topic."""
    return {f"{kind}.json": json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n" for kind in PAYLOADS}


def write_schemas(folder: Path) -> None:
    """Writes all of them; a file whose topic is gone is removed."""
    files = schema_files()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    for file in folder.glob("*.json"):
        if file.name not in files:
            file.unlink()
