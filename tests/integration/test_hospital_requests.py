"""What a hospital asks of a running box, over a real broker, with the commands it has for that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from appliance.cli import rehabbox
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.references import digest_of
from tests.integration.conftest import BOX, SITE, TOPICS


class It:
    """The hospital's command line, with its certificate."""

    def __init__(self, broker: ThrowawayBroker, folder: Path) -> None:
        settings = broker.settings_for("hospital")
        where = ["--ca", str(settings.ca), "--certificate", str(settings.certificate), "--key", str(settings.key)]
        self._url, self._who = f"mqtts://localhost:{broker.port}", ["--site", SITE, "--box", BOX, *where, "--json"]
        self._folder = folder

    def __call__(self, command: str, *arguments: str, status: int = 0) -> dict[str, Any]:
        words = [*command.split(" "), self._url, *arguments, *self._who]
        done = CliRunner().invoke(rehabbox, words, standalone_mode=False)
        assert done.exception is None, done.exception
        assert done.return_value == status, done.output
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def make_key(self) -> Path:
        file = self._folder / "signing.key"
        done = CliRunner().invoke(rehabbox, ["reference", "key", "--out", str(file)], standalone_mode=False)
        assert done.exception is None, done.exception
        assert file.stat().st_mode & 0o777 == 0o600
        return file


@pytest.fixture
def it(broker: ThrowawayBroker, tmp_path: Path) -> It:
    return It(broker, tmp_path)


def until(true: Any, timeout_s: float = 60.0) -> None:
    deadline = monotonic() + timeout_s
    while not true():
        assert monotonic() < deadline, "it did not come about"
        sleep(0.05)


def traces(state: Path, word: str) -> list[str]:
    files = [path for path in state.rglob("*") if path.is_file()]
    return [path.name for path in files if word.encode() in path.read_bytes()]


def test_from_a_therapists_recording_to_a_forgotten_patient(ward: Any, hospital: Any, it: It, tmp_path: Path) -> None:
    key = it.make_key()
    box = ward.start(session=ward.session(reference_key=f"{key}.pub"))
    hospital.wait(lambda heard: heard.of("status") != [])

    recorded = it("reference record", "--exercise", "squat", "--repetitions", "1", "--minutes", "5",
                  "--out", str(tmp_path / "takes"))  # fmt: skip
    assert len(recorded["files"]) == 1
    assert list((tmp_path / "state" / "sessions").iterdir()) == [], "the box keeps nothing of the therapist"
    signing = ["--exercise", "squat", "--signing-key", str(key)]
    published = it("reference publish", *recorded["files"], *signing)
    assert published == {"digest": digest_of(Path(recorded["files"][0])), "outcome": "accepted", "reason": None}

    exercise = {"id": "squat", "side": "both", "repetitions": 1, "reference": published["digest"]}
    hospital.prescribe([exercise], subject="patient-0017")
    hospital.wait(lambda heard: heard.of("result") != [])
    (result,) = hospital.of("result")
    assert (result["status"], result["versions"]["reference"]) == ("scored", published["digest"])

    checks = it("command", "self-test", "--minutes", "5", "--wait", "120")["answer"]["self_test"]["checks"]
    assert {check["name"]: check["ok"] for check in checks}["broker"]
    assert {"camera", "imu", "indicator", "certificate"} <= {check["name"] for check in checks if check["ok"]}
    assert it("command", "update", "--set", "version=9", status=1)["answer"]["outcome"] == "unsupported"

    state = tmp_path / "state"
    modes = {path.stat().st_mode & 0o077 for path in [state, *state.rglob("*")]}
    assert modes == {0}, "readable by the box's own user alone"
    assert "patient-0017" in "".join(path.read_text("latin-1") for path in state.rglob("*.mcap"))
    hospital.prescribe([exercise], subject="the next one")
    until(lambda: traces(state, "patient-0017") == [])
    hospital.wait(lambda heard: heard.of("session")[-1]["subject"] == "the next one")

    answer = it("command", "forget-patient", "--set", "subject=the next one", "--set", "unsent=erase", "--wait", "120")
    assert (answer["answer"]["outcome"], answer["answer"]["erasure"]["found"]) == ("done", [])
    assert traces(state, "the next one") == []
    assert box.stop() == 0
    assert traces(state, "the next one") == []


def test_what_a_box_must_not_obey_is_refused_and_it_goes_on(ward: Any, hospital: Any, it: It) -> None:
    box = ward.start()
    hospital.prescribe([ward.exercise("squat", "both", 1)], subject="patient-0017")
    hospital.wait(lambda heard: heard.of("session") != [])
    now = datetime.now(UTC)
    times = {"issued": now.isoformat(), "expires": (now + timedelta(hours=1)).isoformat()}
    asked = {"id": str(uuid4()), "box": "box-2", **times, "level": "ERROR"}
    client, answers = hospital.client, TOPICS.answer("test")
    large = b'"' + b"x" * 10_000_000 + b'"'
    for topic in (TOPICS.prescription, TOPICS.reference("ab" * 32), TOPICS.command("self-test")):
        client.publish(topic, large, response_topic=answers, correlation=b"large")  # the broker keeps it from the box
        client.publish(topic, b'"' + b"x" * 3_990_000 + b'"', response_topic=answers, correlation=b"large")
        client.publish(topic, b"[" * 50_000 + b"]" * 50_000, response_topic=answers, correlation=b"deep")
        client.publish(topic, b"[1, true, null]", response_topic=answers, correlation=b"types")
    client.publish(TOPICS.command("set-log-level"), json.dumps(asked).encode(), response_topic=answers)
    client.publish(TOPICS.command("set-log-level"), json.dumps(asked | {"box": BOX}).encode(), retain=True)
    client.publish(TOPICS.command("set-log-level"), json.dumps(asked | {"box": BOX}).encode(), response_topic=answers)
    hospital.wait(lambda heard: len(heard.of("answer")) >= 13)
    accepted, *others = hospital.of("answer")
    assert accepted["outcome"] == "accepted"
    codes = [answer["code"] for answer in others]
    assert codes == ["invalid"] * 9 + ["wrong_box", "retained", None]
    assert "abandoned" not in {session["state"] for session in hospital.of("session")}
    assert box.stop() == 0
