"""What a box tells of a fault names the file, and not where on the box it lies."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from appliance.assessment import unassessed
from appliance.errors import RecordingError
from appliance.messages.examples import ALERT, PRESCRIPTION, RESULT, SESSION
from appliance.messages.model import encode
from appliance.recorded_set import RecordedSet
from appliance.references import ReferenceFolder
from appliance.results import Origin, make_result


def test_an_alert_about_a_damaged_reference_names_the_file_and_no_folder(tmp_path: Path) -> None:
    content = b"time_s,nothing\n1,2\n"
    (tmp_path / "abduction.csv").write_bytes(content)
    with pytest.raises(RecordingError) as refused:
        ReferenceFolder(tmp_path).load("sha256:" + sha256(content).hexdigest())
    what = f"shoulder_abduction: {refused.value}"
    assert str(tmp_path) in what
    reason = f"no usable reference: {what}"
    origin = Origin("b", SESSION.id, PRESCRIPTION, {}, synthetic=True)
    nothing = RecordedSet.nothing("camera_lost")
    for message in (
        ALERT.model_validate(ALERT.model_dump() | {"what": what}),
        SESSION.model_validate(SESSION.model_dump() | {"state": "abandoned", "current": None, "reason": reason}),
        make_result(origin, 0, nothing, unassessed(reason), (), RESULT.id, 1),
        make_result(origin, 0, nothing, unassessed("nobody was seen"), (what,), RESULT.id, 1),
    ):
        payload = encode(message).decode()
        assert "shoulder_abduction: abduction.csv: " in payload
        assert tmp_path.name not in payload


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/var/lib/rehabbox/outbox.db: cannot be written", "outbox.db: cannot be written"),
        ("camera '/dev/v4l/by-id/usb-1' is gone", "camera 'usb-1' is gone"),
        ("No room (/var/lib/rehabbox/): free some", "No room (): free some"),
        ("The broker does not take rehabbox/1/clinic/b/result/squat", None),
        ("https://hospital.example/a/b answers 404; mqtts://broker:8883", None),
        ("5/10 frames, up and/or down, 30 / 20 / 10", None),
    ],
)
def test_addresses_topics_and_shares_stay_as_they_are(said: str, heard: str | None) -> None:
    assert ALERT.model_validate(ALERT.model_dump() | {"what": said}).what == (heard or said)
