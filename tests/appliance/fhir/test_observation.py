import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError as SchemaError
from pydantic import ValidationError

from appliance.exercises import load_exercises
from appliance.fhir.answers import answers_of
from appliance.fhir.codes import code_systems
from appliance.fhir.elements import Observation
from appliance.fhir.observation import observation_of
from appliance.messages.examples import RESULT, SESSION
from appliance.messages.model import Message, encode
from appliance.messages.result import Result, Score
from appliance.messages.session import Feedback

Check = Callable[[dict[str, Any]], None]


def sent(resource: Message) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode(resource))
    return document


def result(**changes: Any) -> Result:
    return RESULT.model_copy(update=changes)


def unscored(status: str) -> Result:
    nothing = {"status": status, "reason": "nobody was seen", "score": Score(), "quality": None, "fine_rehab": None}
    return Result.model_validate(result(**nothing, repetitions=(), symmetry={}).model_dump())


def components(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["code"]["coding"][0]["code"]: component for component in document["component"]}


def nulls(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(nulls, value.values() if isinstance(value, dict) else value))
    return value is None


@pytest.mark.parametrize(
    "given", [RESULT, unscored("not_scored"), unscored("abandoned"), result(synthetic=False)], ids=str
)
def test_a_result_becomes_an_observation_that_others_validators_take(assert_fhir: Check, given: Result) -> None:
    document = sent(observation_of(given, "https://hospital.example/patients"))
    assert_fhir(document)
    assert not nulls(document)
    assert document["subject"]["identifier"] == {"system": "https://hospital.example/patients", "value": "p-20931"}
    assert document["device"]["identifier"]["value"] == given.box
    assert document["effectivePeriod"]["end"] > document["effectivePeriod"]["start"]


def test_those_validators_would_find_a_resource_that_is_wrong(assert_fhir: Check) -> None:
    document = sent(observation_of(RESULT))
    document["effectivePeriod"]["start"] = "yesterday"
    with pytest.raises((ValidationError, SchemaError)):
        assert_fhir(document)


def test_it_holds_the_same_figures_as_the_result() -> None:
    found = components(sent(observation_of(RESULT)))
    assert found["pose-dissimilarity"]["valueQuantity"]["value"] == RESULT.score.pose_dissimilarity
    assert found["dynamics-dissimilarity"]["valueQuantity"]["value"] == RESULT.score.dynamics_dissimilarity
    assert found["tempo-ratio"]["valueQuantity"]["value"] == RESULT.score.tempo_ratio
    assert found["repetitions-complete"]["valueInteger"] == 2
    assert found["movement-quality"]["valueQuantity"]["value"] == 0.93
    assert found["fine-rehab-score"]["valueQuantity"]["value"] == 3.34
    assert {name for name in found if name.startswith("fine-rehab-")} == {
        "fine-rehab-score", "fine-rehab-completeness", "fine-rehab-correction", "fine-rehab-smoothness",
    }  # fmt: skip
    assert found["55411-3"]["valueQuantity"] == {
        "value": 0.08552, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min",
    }  # fmt: skip
    assert found["side"]["valueCodeableConcept"]["coding"][0]["display"] == "Left"


def test_the_range_of_a_joint_that_works_has_loincs_code_and_that_of_the_other_side_has_not() -> None:
    found = components(sent(observation_of(RESULT)))
    working, resting = found["range-left-shoulder"], found["range-right-shoulder"]
    assert working["code"]["coding"][1]["system"] == "http://loinc.org"
    assert working["code"]["coding"][1]["code"] == "41299-9"
    assert working["valueQuantity"]["value"] == 116.3
    assert working["valueQuantity"]["code"] == "deg"
    assert len(resting["code"]["coding"]) == 1
    both = components(sent(observation_of(result(side="both"))))
    assert both["range-right-shoulder"]["code"]["coding"][1]["code"] == "41381-5"


def test_made_up_input_is_marked_as_test_data_and_a_patients_is_not() -> None:
    made_up, real = (sent(observation_of(result(synthetic=one))) for one in (True, False))
    assert made_up["meta"]["security"][0]["code"] == "HTEST"
    assert "meta" not in real


@pytest.mark.parametrize(
    ("status", "fhir_status", "why"), [("not_scored", "final", "unknown"), ("abandoned", "cancelled", "not-performed")]
)
def test_without_a_score_there_is_the_reason_and_no_figure(status: str, fhir_status: str, why: str) -> None:
    document = sent(observation_of(unscored(status)))
    assert document["status"] == fhir_status
    assert document["dataAbsentReason"]["coding"][0]["code"] == why
    assert document["dataAbsentReason"]["text"] == "nobody was seen"
    assert not {name for name in components(document) if "dissimilarity" in name or name.startswith("range-")}


def test_the_same_exercise_sent_again_has_the_same_name_to_create_it_by_and_another_one_has_not() -> None:
    def name(given: Result) -> str:
        return observation_of(given).identifier[1].value

    assert name(RESULT) == name(result(historical=True))
    others = [
        result(box="box-2"), result(subject="p-2"), result(exercise="squat"), result(side="right"),
        result(started=RESULT.started - timedelta(seconds=1)), result(ended=RESULT.ended + timedelta(seconds=1)),
    ]  # fmt: skip
    assert len({name(one) for one in (RESULT, *others)}) == 7


def test_an_exercise_of_the_hospitals_own_that_is_gone_is_named_by_its_id() -> None:
    document = sent(observation_of(result(exercise="their_own")))
    assert document["code"]["coding"][0] == {"system": "urn:rehabbox:fhir:exercise", "code": "their_own"}
    assert document["code"]["text"] == "their_own"


def test_every_code_of_our_own_is_in_a_code_system_that_others_validators_take(assert_fhir: Check) -> None:
    known: dict[str, set[str]] = {}
    for system in code_systems(load_exercises()):
        document = sent(system)
        assert_fhir(document)
        assert document["count"] == len(document["concept"])
        known[document["url"]] = {concept["code"] for concept in document["concept"]}

    def used(value: Any) -> list[tuple[str, str]]:
        if isinstance(value, list):
            return [pair for item in value for pair in used(item)]
        if not isinstance(value, dict):
            return []
        own = str(value.get("system", "")).startswith("urn:rehabbox:fhir:") and "code" in value
        return ([(value["system"], value["code"])] if own else []) + used(list(value.values()))

    pairs = used(sent(observation_of(RESULT)))
    for effort in ("easy", "right", "hard", "not_answered"):
        answers = answers_of(SESSION.model_copy(update={"feedback": Feedback(pain="no", effort=effort)}))
        assert answers is not None
        pairs += used(sent(answers))
    assert len(pairs) > 10
    assert all(code in known[system] for system, code in pairs)


NUMBERS = st.one_of(st.none(), st.floats())
SUBJECTS = st.from_regex(r"[^\x00-\x1f\x7f]{1,128}", fullmatch=True).filter(str.strip)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subject=SUBJECTS,
    numbers=st.lists(NUMBERS, min_size=4, max_size=4),
    ranges=st.dictionaries(st.sampled_from(["left_hip", "neck", "left_thigh", "unknown"]), NUMBERS),
    note=st.text(min_size=1).filter(str.strip),
    lasted_s=st.integers(0, 3600),
)
def test_whatever_a_result_holds_its_observation_is_valid(
    assert_fhir: Check,
    subject: str,
    numbers: list[float | None],
    ranges: dict[str, float | None],
    note: str,
    lasted_s: int,
) -> None:
    pose, dynamics, dissimilarity, tempo = numbers
    score = Score(
        pose_dissimilarity=pose, dynamics_dissimilarity=dynamics, dissimilarity=dissimilarity, tempo_ratio=tempo,
        angle_ranges=ranges, notes=(note,),
    )  # fmt: skip
    lasted = timedelta(seconds=lasted_s)
    document = sent(observation_of(result(subject=subject, score=score, ended=RESULT.started + lasted)))
    assert_fhir(document)
    assert not nulls(document)
    assert document["subject"]["identifier"]["value"] == subject


def test_what_is_sent_is_read_back_as_the_same() -> None:
    observation = observation_of(RESULT)
    assert Observation.model_validate_json(encode(observation)) == observation
