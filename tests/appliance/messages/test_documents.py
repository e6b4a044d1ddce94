import json
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from appliance.messages.asyncapi import asyncapi
from appliance.messages.catalogue import LEVELS, TOPICS, Topic
from appliance.messages.documents import FOLDERS, documents, with_table, write_documents
from appliance.messages.model import encode
from appliance.messages.schema import schema_of

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
VALIDATORS = ROOT / "tools" / "validators"


def test_the_committed_documents_are_those_of_the_models() -> None:
    files = [file for folder in FOLDERS for file in (DOCS / folder).iterdir()] + [DOCS / "asyncapi.json"]
    committed = {file.relative_to(DOCS).as_posix(): file.read_text("utf-8") for file in files}
    assert committed == documents(), "run tools/schemas"
    page = (DOCS / "topics.md").read_text("utf-8")
    assert page.count("| topic |") == 1
    assert with_table(page) == page, "run tools/schemas"


def test_writing_removes_what_belongs_to_a_topic_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "gone.json").write_text("{}")
    write_documents(tmp_path)
    assert {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.json")} == set(documents())


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_an_example_is_what_its_schema_describes_and_what_the_box_would_send(topic: Topic) -> None:
    example = json.loads(encode(topic.example))
    Draft202012Validator(schema_of(topic.name), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example)
    assert topic.payload.model_validate_json(encode(topic.example)) == topic.example
    assert None not in [LEVELS.get(level) for level in topic.levels]


def test_the_asyncapi_document_passes_the_initiatives_own_parser_which_would_find_a_fault(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (VALIDATORS / "node_modules" / ".set-up").exists():
        pytest.skip("needs node, and tools/setup to have fetched tools/validators with npm")
    wrong = asyncapi()
    wrong["operations"]["status"]["bindings"]["mqtt"]["qos"] = 7
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    files = [str(DOCS / "asyncapi.json"), str(tmp_path / "wrong.json")]
    done = subprocess.run([node, VALIDATORS / "asyncapi.cjs", *files], capture_output=True, text=True, timeout=180)
    found = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr
    assert any("qos" in line for line in found)
    assert not [line for line in found if not line.startswith(files[1])]
