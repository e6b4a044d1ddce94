"""A therapist's word on a result: it takes the measured one's place, in the box's own messages and in FHIR."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from appliance.correction import corrected, original_of
from appliance.errors import RefusedError
from appliance.fhir.observation import observation_of
from appliance.messages.command import parse_command
from appliance.messages.examples import COMMANDS, RESULT
from appliance.messages.model import encode
from appliance.messages.result import Correction, Result

NEW_ID = UUID("f3a9f0fa-6a8e-4d0b-9d8b-0d6b8c9b6a01")


def correction(**changes: Any) -> Correction:
    fields = {
        "replaces": RESULT.id, "action": "withdrawn", "by": "therapist-7", "at": RESULT.ended + timedelta(hours=3),
        "reason": "the patient's grandson did it", "repetitions": None, "score": None,
    }  # fmt: skip
    return Correction.model_validate(fields | changes)


def fhir(result: Result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode(observation_of(result)))
    return document


def measures(document: dict[str, Any]) -> dict[str, Any]:
    return {one["code"]["coding"][0]["code"]: one for one in document["component"]}


def test_a_withdrawn_result_names_the_one_it_replaces_and_holds_no_figure_of_it() -> None:
    withdrawn = corrected(RESULT, correction(), NEW_ID, 400)
    assert (withdrawn.id, withdrawn.sequence, withdrawn.status) == (NEW_ID, 400, "withdrawn")
    assert withdrawn.reason == "the patient's grandson did it"
    assert original_of(withdrawn) == RESULT.id
    assert withdrawn.score.pose_dissimilarity is None
    assert (withdrawn.quality, withdrawn.fine_rehab, withdrawn.repetitions, withdrawn.symmetry) == (None, None, (), {})
    assert (withdrawn.subject, withdrawn.exercise, withdrawn.started) == (
        RESULT.subject, RESULT.exercise, RESULT.started,
    )  # fmt: skip


def test_an_amended_result_keeps_what_was_measured_beside_what_the_therapist_says() -> None:
    amended = corrected(RESULT, correction(action="amended", repetitions=1, score=1.5), NEW_ID, 400)
    assert amended.status == "scored"
    assert amended.score == RESULT.score
    assert amended.correction is not None
    assert (amended.correction.repetitions, amended.correction.score) == (1, 1.5)


def test_in_fhir_a_withdrawn_result_is_the_same_observation_entered_in_error() -> None:
    before, after = fhir(RESULT), fhir(corrected(RESULT, correction(), NEW_ID, 400))
    assert after["identifier"] == before["identifier"]
    assert (before["status"], after["status"]) == ("final", "entered-in-error")
    assert after["issued"] > before["issued"]
    assert after["note"] == [
        {"authorString": "therapist-7", "time": after["issued"], "text": "the patient's grandson did it"}
    ]
    assert "pose-dissimilarity" not in measures(after)


def test_in_fhir_an_amended_result_is_the_same_observation_with_the_therapists_figures() -> None:
    amended = corrected(RESULT, correction(action="amended", repetitions=0, score=0.0), NEW_ID, 400)
    before, after = fhir(RESULT), fhir(amended)
    assert after["identifier"] == before["identifier"]
    assert after["status"] == "amended"
    found = measures(after)
    assert found["repetitions-complete"]["valueInteger"] == 0
    assert found["fine-rehab-score"]["valueQuantity"]["value"] == 0.0
    assert found["pose-dissimilarity"] == measures(before)["pose-dissimilarity"]


def test_no_result_is_withdrawn_by_nobody() -> None:
    with pytest.raises(ValidationError, match="who withdrew it"):
        Result.model_validate(RESULT.model_dump() | {"correction": correction().model_dump()})


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "amend"},
        {"action": "withdraw", "score": 1.0},
        {"action": "amend", "score": 4.5},
        {"action": "amend", "repetitions": "3"},
        {"action": "erase"},
        {"reason": ""},
        {"reason": "two\nlines"},
    ],
)
def test_a_command_that_does_not_say_what_it_should_is_refused(changes: dict[str, Any]) -> None:
    command = json.loads(encode(COMMANDS["correct-result"]))
    assert parse_command("correct-result", json.dumps(command).encode()) == COMMANDS["correct-result"]
    with pytest.raises(RefusedError, match=r"^command\.correct-result"):
        parse_command("correct-result", json.dumps(command | changes).encode())
