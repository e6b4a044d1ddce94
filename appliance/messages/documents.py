"""What `docs/` says of the topics: schemas, examples, one AsyncAPI document, FHIR code systems; by `tools/schemas`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from appliance.exercises import load_exercises
from appliance.fhir.codes import code_systems
from appliance.messages.asyncapi import asyncapi
from appliance.messages.catalogue import TOPICS
from appliance.messages.model import encode
from appliance.messages.schema import PAYLOADS, schema_of

_TABLE = re.compile(r"\| topic \|.*?\n\n", re.DOTALL)
FOLDERS = ("schemas", "examples", "fhir")
"""Nothing but what is generated lies in these."""


def documents() -> dict[str, str]:
    """Path below `docs/` to content."""
    files = {f"schemas/{name}.json": _text(schema_of(name)) for name in PAYLOADS}
    files |= {f"examples/{topic.name}.json": _text(json.loads(encode(topic.example))) for topic in TOPICS}
    files |= {
        f"fhir/CodeSystem-{one.id}.json": _text(json.loads(encode(one))) for one in code_systems(load_exercises())
    }
    return files | {"asyncapi.json": _text(asyncapi())}


def write_documents(docs: Path) -> None:
    """Writes all of them; one whose topic is gone is removed."""
    files = documents()
    for name, content in files.items():
        file = docs / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    for folder in FOLDERS:
        for file in (docs / folder).glob("*.json"):
            if f"{folder}/{file.name}" not in files:
                file.unlink()
    page = docs / "topics.md"
    if page.exists():
        page.write_text(with_table(page.read_text("utf-8")), "utf-8")


def with_table(page: str) -> str:
    """`docs/topics.md` with the table of topics as it should be."""
    rows = ["| topic | who | QoS | retained | expires | payload | example |", "|---|---|---|---|---|---|---|"]
    for topic in TOPICS:
        path = topic.path.replace("{", "<").replace("}", ">")
        expires = "never" if topic.expiry_s is None else f"{topic.expiry_s} s"
        files = f"[schema](schemas/{topic.name}.json) | [example](examples/{topic.name}.json)"
        retained = "yes" if topic.retained else "no"
        rows.append(f"| `{path}` | {topic.sender} | {topic.qos} | {retained} | {expires} | {files} |")
    return _TABLE.sub("\n".join(rows) + "\n\n", page, count=1)


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
