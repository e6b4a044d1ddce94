import json
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.demo.instructor import record_reference
from appliance.errors import RecordingError
from appliance.exercises import exercise_by_id
from appliance.hospital.signature import is_signed, statement
from appliance.messages.examples import SIGNED_REFERENCE
from appliance.messages.reference import MAX_BYTES
from appliance.references import ReferenceFolder
from appliance.scoring.noise import floor_of_takes
from appliance.scoring.options import options_for
from tests.appliance.inbound.conftest import TOPICS, prescription, signed


def give(bench: Any, payload: Any, level: str | None = None, **how: Any) -> dict[str, Any]:
    (answer,) = bench.give(TOPICS.reference(level or payload["digest"]), payload, **how)
    return dict(answer)


def test_a_signed_reference_is_stored_under_its_digest_and_can_be_scored_against(bench: Any, take: bytes) -> None:
    wanted = signed([take])
    assert give(bench, wanted, retained=True)["outcome"] == "accepted"
    folder = ReferenceFolder(bench.references)
    assert folder.find(wanted["digest"]).read_bytes() == take
    assert len(folder.load(wanted["digest"])) > 30
    bare = wanted["digest"].removeprefix("sha256:")
    assert bench.give(TOPICS.reference(bare), wanted, retained=True) == [], "the same again changes nothing"


def test_one_changed_bit_anywhere_is_refused_and_nothing_is_stored(bench: Any, take: bytes) -> None:
    whole = json.dumps(signed([take])).encode()
    chance = random.Random(7)
    topic = TOPICS.reference(json.loads(whole)["digest"])
    places = [*range(0, 8 * 150, 11), *(chance.randrange(8 * len(whole)) for _ in range(200))]
    for place in places:
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        try:
            same = json.loads(changed) == json.loads(whole)
        except ValueError:
            same = False
        assert not same, "no bit of it is idle"
        (answer,) = bench.give(topic, bytes(changed), correlation=b"bit")
        assert (answer["outcome"], answer["correlation"]) == ("refused", b"bit"), place
    assert not bench.references.exists()
    assert bench.outbox.alert_codes() == ["reference_refused"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exercise": "seated_knee_extension"}, "bad_signature"),
        ({"issued": "2026-01-01T00:00:00Z"}, "bad_signature"),
        ({"digest": "sha256:" + "0" * 64}, "bad_digest"),
        ({"signature": "A" * 86 + "=="}, "bad_signature"),
        ({"signature": "short"}, "invalid"),
        ({"takes": []}, "invalid"),
        ({"takes": ["!not base64!"]}, "invalid"),
        ({"takes": [5]}, "invalid"),
        ({"key": "mine"}, "invalid"),
    ],
)
def test_a_reference_with_anything_else_changed_is_refused(
    bench: Any, take: bytes, changes: dict[str, Any], code: str
) -> None:
    good = signed([take])
    assert give(bench, good | changes, good["digest"])["code"] == code
    assert not bench.references.exists()


def test_another_keys_signature_another_topic_and_a_take_that_is_no_recording_are_refused(
    bench: Any, take: bytes
) -> None:
    assert give(bench, signed([take], Ed25519PrivateKey.generate()))["code"] == "bad_signature"
    assert give(bench, signed([take]), "ab" * 32)["code"] == "bad_digest"
    assert give(bench, signed([take]), "squat")["code"] == "bad_digest"
    assert give(bench, signed([b"time_s,nothing\n"]))["code"] == "not_scorable"
    assert give(bench, signed([take], exercise="handstand"))["code"] == "unknown_exercise"
    assert give(bench, b"[" * MAX_BYTES, "ab" * 32)["code"] == "invalid"
    assert give(bench, b" " * (MAX_BYTES + 1), "ab" * 32)["code"] == "invalid"
    assert not bench.references.exists()


def test_the_alert_is_over_once_the_reference_comes_right(bench: Any, take: bytes) -> None:
    good = signed([take])
    give(bench, good | {"signature": "A" * 86 + "=="})
    assert bench.outbox.alert_codes() == ["reference_refused"]
    raised: list[str] = []
    bench.reporter.clear_alert = raised.append
    give(bench, good)
    assert raised == ["reference_refused"]


def test_without_a_key_no_reference_is_taken_from_the_broker(bench: Any, take: bytes) -> None:
    bench.inbox._keys = ()
    assert give(bench, signed([take]))["code"] == "no_key"


def test_a_withdrawn_reference_stays_for_as_long_as_a_prescription_names_it(bench: Any, take: bytes) -> None:
    wanted = signed([take])
    topic = TOPICS.reference(wanted["digest"])
    give(bench, wanted)
    exercise = {"id": "squat", "repetitions": 2, "reference": wanted["digest"]}
    bench.prescribe(prescription(exercises=[exercise]))
    assert bench.give(topic, b"", retained=False) == []
    assert ReferenceFolder(bench.references).holds(wanted["digest"])
    bench.prescribe(prescription())
    assert list(bench.references.iterdir()) == []


@pytest.mark.parametrize("refusing", ["appliance.references.write_whole", "pathlib.Path.write_bytes"])
def test_a_disk_that_refuses_a_reference_or_its_withdrawal_is_answered(
    bench: Any, take: bytes, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = signed([take])

    def refuse(file: Path, *_: object) -> None:
        kind = OSError if refusing.startswith("pathlib") else RecordingError
        raise kind(f"{file}: cannot be written: No space left on device")

    with monkeypatch.context() as full:
        full.setattr(refusing, refuse)
        answer = give(bench, wanted)
        assert (answer["outcome"], "No space left" in answer["reason"]) == ("failed", True)
    assert give(bench, wanted)["outcome"] == "accepted"
    monkeypatch.setattr("appliance.references.write_whole", refuse)
    (answer,) = bench.give(TOPICS.reference(wanted["digest"]), b"")
    assert answer["outcome"] == "failed"
    assert ReferenceFolder(bench.references).holds(wanted["digest"])


def test_a_reference_that_was_copied_there_by_hand_is_not_the_brokers_to_withdraw(bench: Any, take: bytes) -> None:
    bench.references.mkdir()
    (bench.references / "squat.csv.gz").write_bytes(take)
    bench.give(TOPICS.reference(signed([take])["digest"]), b"")
    assert [file.name for file in bench.references.iterdir()] == ["squat.csv.gz"]


def test_a_second_take_tells_the_instructors_own_variation(bench: Any, take: bytes, tmp_path: Path) -> None:
    record_reference("squat", "both", 2, 3.0, tmp_path)
    other = (tmp_path / "squat.csv.gz").read_bytes()
    wanted = signed([take, other])
    assert give(bench, wanted)["outcome"] == "accepted"
    folder = ReferenceFolder(bench.references)
    second = folder.load_second(wanted["digest"])
    assert second is not None
    options = options_for(exercise_by_id("squat"))
    first = folder.load(wanted["digest"])
    with_takes = floor_of_takes(first, second, options)
    assert with_takes != floor_of_takes(first, None, options)
    assert with_takes["pose_dissimilarity"] > 0
    swapped = wanted | {"takes": wanted["takes"][::-1]}
    assert give(bench, swapped)["code"] == "bad_digest"
    bench.give(TOPICS.reference(wanted["digest"]), b"")
    assert list(bench.references.iterdir()) == []


def test_the_documented_example_is_signed_by_the_key_it_names() -> None:
    key = Ed25519PublicKey.from_public_bytes(
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    )
    example = SIGNED_REFERENCE
    text = statement(example.exercise, example.issued, example.takes)
    assert text.startswith(b"rehabbox reference 1\nexercise squat\nissued 2026-02-27T09:14:03+00:00\ntake sha256:491e")
    assert is_signed((key,), text, example.signature)
