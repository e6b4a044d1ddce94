from typing import Any

import pytest
from jsonschema import Draft202012Validator

from appliance.messages.schema import PAYLOADS, schema_of


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_schema_is_valid_and_explains_every_field(name: str) -> None:
    schema: Any = schema_of(name)
    Draft202012Validator.check_schema(schema)
    objects = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
    for part in objects:
        assert part["title"]
        assert part["description"]
        assert part["additionalProperties"] is False
        for field_name, field in part["properties"].items():
            referred = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else {}
            described = field.get("description") or referred.get("description")
            assert described, f"{part['title']}.{field_name} is not described"
