import json
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.errors import RefusedError
from appliance.messages.prescription import MAX_BYTES, parse_prescription

DIGEST = "sha256:" + "0123456789abcdef" * 4


def exercise(**changes: Any) -> dict[str, Any]:
    return {"id": "squat", "side": "left", "repetitions": 5, "reference": DIGEST, "paced": True} | changes


def payload(**changes: Any) -> bytes:
    whole: dict[str, Any] = {
        "id": "2f9a2b7e-35bb-4b53-8d0c-1f4d1f5f9f01",
        "issued": "2026-03-01T08:00:00+01:00",
        "expires": "2026-03-02T08:00:00Z",
        "subject": "patient 17",
        "affected_side": "left",
        "exercises": [exercise()],
    }
    return json.dumps(whole | changes).encode()


def test_a_prescription_comes_through_with_its_times_in_utc() -> None:
    prescription = parse_prescription(payload())
    assert prescription.issued == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert prescription.issued.utcoffset() == prescription.expires.utcoffset()
    assert prescription.subject == "patient 17"
    first = prescription.exercises[0]
    assert (first.id, first.side, first.repetitions, first.reference, first.paced) == ("squat", "left", 5, DIGEST, True)


def test_what_a_hospital_may_leave_out_has_a_plain_meaning() -> None:
    least = {"id": "squat", "repetitions": 1, "reference": DIGEST}
    prescription = parse_prescription(payload(exercises=[least], affected_side=None))
    first = prescription.exercises[0]
    assert (first.side, first.paced, first.limits) == ("both", False, None)
    assert parse_prescription(payload(exercises=[exercise(side=None)])).exercises[0].side == "both"


def test_a_digest_without_its_prefix_is_the_same_digest() -> None:
    bare = parse_prescription(payload(exercises=[exercise(reference=DIGEST.removeprefix("sha256:"))]))
    assert bare.exercises[0].reference == DIGEST


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": "seventeen"}, "prescription.id"),
        ({"issued": "2026-03-01T08:00:00"}, "prescription.issued"),
        ({"issued": "2026-03-01"}, "prescription.issued"),
        ({"issued": 1772352000}, "prescription.issued"),
        ({"issued": "1772352000"}, "prescription.issued"),
        ({"issued": "0001-01-01T00:00:00+14:00"}, "prescription.issued"),
        ({"expires": "2026-03-01T07:00:00Z"}, "prescription: expires must be later"),
        ({"subject": ""}, "prescription.subject"),
        ({"subject": "a\nb"}, "prescription.subject"),
        ({"subject": "x" * 129}, "prescription.subject"),
        ({"affected_side": "front"}, "prescription.affected_side"),
        ({"exercises": []}, "prescription.exercises"),
        ({"exercises": [exercise()] * 51}, "prescription.exercises"),
        ({"exercises": [exercise(), exercise(repetitions=0)]}, "prescription.exercises.1.repetitions"),
        ({"exercises": [exercise(repetitions=101)]}, "prescription.exercises.0.repetitions"),
        ({"exercises": [exercise(repetitions="5")]}, "prescription.exercises.0.repetitions"),
        ({"exercises": [exercise(repetitions=True)]}, "prescription.exercises.0.repetitions"),
        ({"exercises": [exercise(paced=1)]}, "prescription.exercises.0.paced"),
        ({"exercises": [exercise(side="none")]}, "prescription.exercises.0.side"),
        ({"exercises": [exercise(id="../squat")]}, "prescription.exercises.0.id"),
        ({"exercises": [exercise(reference="sha256:12")]}, "prescription.exercises.0.reference"),
        ({"exercises": [exercise(reference=DIGEST.upper())]}, "prescription.exercises.0.reference"),
        ({"exercises": [exercise(limits={"knee_deg": float("nan")})]}, "prescription.exercises.0.limits.knee_deg"),
        ({"exercises": [exercise(speed=2)]}, "prescription.exercises.0.speed"),
        ({"sent": "now"}, "prescription.sent"),
    ],
)
def test_a_faulty_prescription_is_refused_with_the_key_that_is_wrong(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_prescription(payload(**changes))
    assert str(refused.value).startswith(place)


@pytest.mark.parametrize("garbage", [b"", b"{", b"null", b"[]", b"\xff\xfe\x00", b'{"a":' * 5000, b"\x00" * 100])
def test_garbage_is_refused_in_one_line(garbage: bytes) -> None:
    with pytest.raises(RefusedError, match=r"^prescription[^\n]*$"):
        parse_prescription(garbage)


def test_an_oversized_payload_is_refused_unread() -> None:
    with pytest.raises(RefusedError, match="at most"):
        parse_prescription(payload() + b" " * MAX_BYTES)


def test_a_refusal_quotes_neither_the_patient_nor_control_characters() -> None:
    with pytest.raises(RefusedError) as refused:
        parse_prescription(payload(subject="Jane\x1bDoe"))
    assert "Jane" not in str(refused.value)
    with pytest.raises(RefusedError) as refused:
        parse_prescription(payload(**{"\x1b[2J\n" + "k" * 500: 1}))
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200


def test_what_is_refused_is_one_printable_line() -> None:
    with pytest.raises(RefusedError) as refused:
        parse_prescription(payload(id="2f9a2b\n7e-35bb"))
    assert str(refused.value).startswith("prescription.id: ")
    assert str(refused.value).isprintable()
