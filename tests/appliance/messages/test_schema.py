from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from appliance.messages.schema import PAYLOADS, schema_files, schema_of, write_schemas

DOCS = Path(__file__).resolve().parents[3] / "docs" / "schemas"


def test_the_committed_schemas_are_those_of_the_models() -> None:
    committed = {file.name: file.read_text("utf-8") for file in DOCS.glob("*.json")}
    assert committed == schema_files(), "run tools/schemas"


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_schema_is_valid_and_explains_every_field(kind: str) -> None:
    schema: Any = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    objects = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
    for part in objects:
        assert part["title"]
        assert part["description"]
        assert part["additionalProperties"] is False
        for name, field in part["properties"].items():
            referred = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else {}
            assert field.get("description") or referred.get("description"), f"{part['title']}.{name} is not described"


def test_writing_removes_the_schema_of_a_topic_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone.json").write_text("{}")
    write_schemas(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(schema_files())
