"""Pain and effort, as the patient answered, leave as FHIR that others take."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from appliance.fhir.answers import answers_of
from appliance.messages.examples import SESSION
from appliance.messages.model import encode
from appliance.messages.session import Effort, Feedback, Pain, Session

Check = Callable[[dict[str, Any]], None]
PATIENTS = "https://hospital.example/patients"


def session(pain: Pain, effort: Effort, **changes: Any) -> Session:
    return SESSION.model_copy(update={"state": "done", "feedback": Feedback(pain=pain, effort=effort), **changes})


def sent(given: Session) -> dict[str, Any]:
    answers = answers_of(given, PATIENTS)
    assert answers is not None
    document: dict[str, Any] = json.loads(encode(answers))
    return document


@pytest.mark.parametrize(("pain", "hurt"), [("yes", True), ("no", False)])
@pytest.mark.parametrize("effort", ["easy", "right", "hard"])
def test_answers_become_an_observation_that_others_validators_take(
    assert_fhir: Check, pain: Pain, hurt: bool, effort: Effort
) -> None:
    document = sent(session(pain, effort))
    assert_fhir(document)
    about_pain, about_effort = document["component"]
    assert [(one["system"], one["code"]) for one in about_pain["code"]["coding"]] == [
        ("urn:rehabbox:fhir:measure", "pain"), ("http://snomed.info/sct", "22253000"),
    ]  # fmt: skip
    assert about_pain["valueBoolean"] is hurt
    assert about_effort["code"]["coding"][0]["code"] == "effort"
    (answer,) = about_effort["valueCodeableConcept"]["coding"]
    assert (answer["system"], answer["code"]) == ("urn:rehabbox:fhir:answer", effort)


def test_a_question_without_an_answer_says_so_and_nobody_asked_is_no_observation(assert_fhir: Check) -> None:
    document = sent(session("not_answered", "not_answered"))
    assert_fhir(document)
    for component in document["component"]:
        assert component["dataAbsentReason"]["coding"][0]["code"] == "unknown"
        assert not [key for key in component if key.startswith("value")]
    assert answers_of(SESSION) is None


def test_the_patient_answered_and_box_prescription_and_session_are_those_of_the_results() -> None:
    document = sent(session("no", "right"))
    patient = {"type": "Patient", "identifier": {"system": PATIENTS, "value": SESSION.subject}}
    assert document["subject"] == patient
    assert document["performer"] == [patient]
    assert document["device"]["identifier"]["value"] == SESSION.box
    assert document["basedOn"][0]["identifier"]["value"] == f"urn:uuid:{SESSION.prescription}"
    assert document["partOf"][0]["identifier"]["value"] == f"urn:uuid:{SESSION.id}"
    assert document["category"][0]["coding"][0]["code"] == "survey"
    assert document["meta"]["security"][0]["code"] == "HTEST"
    assert "meta" not in sent(session("no", "right", synthetic=False))


def test_a_session_that_is_told_again_is_created_once_and_another_has_another_name() -> None:
    told = sent(session("no", "right"))["identifier"]
    assert sent(session("no", "right", at=SESSION.at + timedelta(minutes=5)))["identifier"] == told
    assert SESSION.started is not None
    later = sent(session("no", "right", started=SESSION.started + timedelta(seconds=1)))["identifier"]
    assert later[1] != told[1]
