import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from appliance.messages.alert import Alert
from appliance.messages.health import DeviceHealth, Health
from appliance.messages.model import Message, encode
from appliance.messages.result import DataQuality, FineRehab, Quality, Repetition, Result, Score, Versions
from appliance.messages.schema import schema_of
from appliance.messages.session import Session, SessionExercise
from appliance.messages.status import Status

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ID = UUID("2f9a2b7e-35bb-4b53-8d0c-1f4d1f5f9f01")
SCORED = Score(
    pose_dissimilarity=0.12, dynamics_dissimilarity=-0.01, pairs=90, joints={"left_knee": 0.4, "head": float("nan")}
)

DIGEST = "sha256:" + "0" * 64
QUALITY = Quality(quality=0.8, level=1, movement="squat", sure=True, repetitions=())
FINE_REHAB = FineRehab(
    score=2.5, dimensions={"completeness": 2.5, "correction": 2.5, "smoothness": 2.5},
    grades={"smoothness": {"trunk": 2.5, "left_arm": None}}, level="below average", no_level=None,
)  # fmt: skip


def result(**changes: Any) -> Result:
    whole: dict[str, Any] = {
        "id": ID, "sequence": 1, "box": "box-1", "session": ID, "prescription": ID, "subject": "17",
        "exercise": "squat", "side": "both", "started": NOW, "ended": NOW + timedelta(seconds=30),
        "status": "scored", "reason": None, "paced": False, "historical": False,
        "repetitions": (
            Repetition(
                start_s=0.5, reverse_s=float("nan"), end_s=3.5, complete=False,
                pose_dissimilarity=float("inf"), dynamics_dissimilarity=None,
            ),
        ),
        "score": SCORED, "quality": QUALITY, "fine_rehab": FINE_REHAB,
        "symmetry": {"knee": float("-inf")},
        "data_quality": DataQuality(
            frames=900, lost=3, joints_seen=0.98, sync_error_ms=float("nan"), filled=0.01, gravity="camera"
        ),
        "versions": Versions(software="0.1.0", reference=DIGEST, model="m", weights=DIGEST, levels=DIGEST),
        "synthetic": True,
    }  # fmt: skip
    return Result(**(whole | changes))


EXAMPLES: dict[str, Message] = {
    "result": result(),
    "status": Status(
        state="online", connection=1, since=NOW, software="0.1.0", model=None, weights=None,
        drivers={"camera": "video"}, sbom_sha256=None,
    ),
    "session": Session(
        id=ID, box="box-1", prescription=ID, subject="17", state="recording", started=NOW, at=NOW, current=0,
        exercises=(SessionExercise(exercise="squat", side="both", repetitions=5),), synthetic=False,
    ),
    "health": Health(
        box="box-1", at=NOW, uptime_s=12.5, disk_free_bytes=10, disk_bytes=20, temperature_c=float("nan"), queued=1,
        oldest_unsent=NOW, delivered=7,
        devices={
            "camera": DeviceHealth(
                driver="video", name="a.mp4", state="lost", error="gone", rate_hz=float("nan"), expected_hz=30.0,
                received=10, lost=1, interruptions=1, attempts=5, away_s=0.0, counters={"dropped": 2},
                silent=("left_hand",), battery_percent={"receiver": 87}, sync_error_ms=None,
            ),
        },
    ),
    "alert": Alert(code="disk_full", state="raised", since=NOW, what="The disk is full.", remedy="Send it in."),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_sent_is_json_that_its_schema_describes(kind: str) -> None:
    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    document = json.loads(encode(EXAMPLES[kind]), parse_constant=no_constants)
    Draft202012Validator(schema_of(kind)).validate(document)


def test_a_number_that_is_not_finite_is_sent_as_null() -> None:
    document = json.loads(encode(result()))
    assert document["repetitions"][0]["reverse_s"] is None
    assert document["repetitions"][0]["pose_dissimilarity"] is None
    assert document["data_quality"]["sync_error_ms"] is None
    assert document["score"]["joints"] == {"left_knee": 0.4, "head": None}
    assert document["symmetry"] == {"knee": None}


def test_a_result_holds_the_keys_that_others_rely_on() -> None:
    document = json.loads(encode(result()))
    assert set(document) >= {
        "id", "sequence", "box", "session", "prescription", "subject", "exercise", "side", "started", "ended",
        "status", "reason", "paced", "historical", "repetitions", "score", "quality", "fine_rehab", "symmetry",
        "data_quality", "versions", "synthetic",
    }  # fmt: skip
    assert set(document["score"]) == {
        "pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity", "phi_deg", "intensity", "intensity_reference",
        "mean_distance", "min_distance", "pairs", "cost", "mean_lag_s", "lag_spread_s", "tempo_ratio", "joints",
        "dissimilarity_extended", "extended", "extended_joints", "mirrored", "angle_ranges",
        "angle_ranges_reference", "notes", "joint_distances", "inter_limb", "noise_floor", "within_noise",
    }  # fmt: skip
    assert set(document["repetitions"][0]) == {
        "start_s", "reverse_s", "end_s", "complete", "pose_dissimilarity", "dynamics_dissimilarity",
    }  # fmt: skip
    assert set(document["data_quality"]) == {
        "frames",
        "lost",
        "joints_seen",
        "sync_error_ms",
        "kept",
        "filled",
        "gravity",
    }


def test_times_are_sent_in_utc() -> None:
    eastward = result(started=NOW.astimezone(timezone(timedelta(hours=5))))
    assert json.loads(encode(eastward))["started"] == "2026-03-01T08:00:00Z"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "not_scored"},
        {"status": "not_scored", "reason": "too little seen"},
        {"status": "not_scored", "score": Score()},
        {"score": Score()},
        {"reason": "but why"},
        {"ended": NOW - timedelta(seconds=1)},
        {"sequence": 0},
        {"started": NOW.replace(tzinfo=None)},
        {"exercise": "squat/#"},
        {"versions": Versions(software="0.1.0", reference=DIGEST, model="m", levels=DIGEST)},
        {"versions": Versions(software="0.1.0", reference=DIGEST, model="m", weights=DIGEST)},
        {"versions": Versions(software="0.1.0", reference=DIGEST, weights=DIGEST, levels=DIGEST)},
        {"colour": "red"},
    ],
)
def test_a_result_that_contradicts_itself_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        result(**changes)


def test_not_scored_and_why_is_a_result_too() -> None:
    document = json.loads(encode(result(status="not_scored", reason="too little seen", score=Score())))
    assert document["reason"] == "too little seen"
    assert document["score"]["pose_dissimilarity"] is None


def test_an_abandoned_session_says_why() -> None:
    session = EXAMPLES["session"].model_dump()
    with pytest.raises(ValidationError):
        Session(**session | {"state": "abandoned"})
    assert Session(**session | {"state": "abandoned", "reason": "nobody came", "current": None}).reason
