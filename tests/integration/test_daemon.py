"""The daemon from prescription to result, with nothing replaced: broker, TLS, outbox, devices' drivers, signals."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import jsonschema
import pytest

from appliance.messages.topics import Topics
from appliance.pose import record_pose
from appliance.recording.session_reader import read_session
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from hal.registry import build_camera, build_pose
from hal.types import SEGMENTS

TOPICS = Topics("demo", "box-1")
POSE = {"driver": "mediapipe"}
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def assert_valid(kind: str, payloads: list[dict[str, Any]]) -> None:
    schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for payload in payloads:
        validator.validate(payload)


def test_a_prescription_becomes_results_and_the_box_stops_cleanly(ward: Any, hospital: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(path)
        notified.settimeout(60)
        box = ward.start({"NOTIFY_SOCKET": path})
        assert notified.recv(100) == b"READY=1"
        prescription = hospital.prescribe(
            [ward.exercise("shoulder_abduction", "left", 2), ward.exercise("squat", "both", 2)]
        )
        hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
        assert box.stop() == 0, box.log
        assert notified.recv(100) == b"STOPPING=1"
    hospital.wait(lambda heard: any(message["state"] == "stopped" for message in heard.of("status")))

    results = hospital.of("result")
    assert_valid("result", results)
    assert [(result["exercise"], result["status"]) for result in results] == [
        ("shoulder_abduction", "scored"),
        ("squat", "scored"),
    ]
    for sequence, result in enumerate(results, start=1):
        assert result["sequence"] == sequence
        assert result["prescription"] == prescription
        assert result["synthetic"] is True
        assert result["historical"] is False
        assert [repetition["complete"] for repetition in result["repetitions"]] == [True, True]
        assert 0 < result["score"]["pose_dissimilarity"] < 0.2
        assert result["data_quality"]["joints_seen"] > 0.9
        assert result["data_quality"]["sync_error_ms"] is not None

    sessions = hospital.of("session")
    assert_valid("session", sessions)
    assert [message["state"] for message in sessions] == [*["ready", "recording", "scoring"] * 2, "done"]
    assert [exercise["result"] for exercise in sessions[-1]["exercises"]] == [result["id"] for result in results]

    statuses = hospital.of("status")
    assert_valid("status", statuses)
    assert [message["state"] for message in statuses] == ["online", "stopped"]
    assert statuses[0]["drivers"] == dict.fromkeys(("camera", "imu", "indicator"), "synthetic") | {"pose": "device"}

    files = sorted((tmp_path / "state" / "sessions").rglob("*.mcap"))
    assert [file.name for file in files] == ["00_shoulder_abduction.mcap", "01_squat.mcap"]
    recorded = read_session(files[0])
    assert recorded.complete
    assert recorded.skeleton is not None
    assert len(recorded.skeleton) == results[0]["data_quality"]["frames"]
    assert set(recorded.imu) == set(SEGMENTS)


def test_what_was_done_while_the_broker_was_away_arrives_later_and_says_so(ward: Any, hospital: Any) -> None:
    box = ward.start()
    hospital.prescribe([ward.exercise("shoulder_abduction", "both", 2)])
    hospital.wait(lambda heard: any(message["state"] == "recording" for message in heard.of("session")))
    ward.broker.kill()
    until(lambda: "shoulder_abduction: scored" in box.log)
    box.process.send_signal(signal.SIGSTOP)  # so that the hospital is listening again when the box comes back
    ward.broker.start()
    until(lambda: hospital.client.connected)
    box.process.send_signal(signal.SIGCONT)
    hospital.wait(lambda heard: heard.of("result") != [])
    (result,) = hospital.of("result")
    assert (result["status"], result["historical"], result["sequence"]) == ("scored", True, 1)
    hospital.wait(lambda heard: any(alert["state"] == "cleared" for alert in heard.of("alert")))
    assert {alert["code"] for alert in hospital.of("alert")} == {"broker_unreachable"}
    assert_valid("alert", hospital.of("alert"))
    assert box.stop() == 0


def until(true: Callable[[], bool], timeout_s: float = 120.0) -> None:
    deadline = monotonic() + timeout_s
    while not true():
        assert monotonic() < deadline
        sleep(0.05)


def test_a_box_stopped_in_the_middle_goes_on_where_it_was(ward: Any, hospital: Any) -> None:
    box = ward.start()
    exercises = [ward.exercise("shoulder_abduction", "left", 1), ward.exercise("squat", "both", 2)]
    prescription = hospital.prescribe(exercises)
    hospital.wait(lambda heard: any(message["current"] == 1 for message in heard.of("session")))
    assert box.stop() == 0, box.log
    hospital.wait(lambda heard: any(message["state"] == "abandoned" for message in heard.of("session")))
    ward.start()
    hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
    results = hospital.of("result")
    assert [(result["sequence"], result["exercise"]) for result in results] == [(1, "shoulder_abduction"), (2, "squat")]
    assert {result["prescription"] for result in results} == {prescription}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"exercises": []}, "exercises"),
        ({"expires": "2020-01-01T00:00:00Z", "issued": "2019-01-01T00:00:00Z"}, "expires"),
        ({"exercises": [{"id": "juggling", "side": "left", "repetitions": 3, "reference": "0" * 64}]}, "juggling"),
        ({"exercises": [{"id": "squat", "side": "left", "repetitions": 3, "reference": "0" * 64}]}, "side"),
    ],
)
def test_a_prescription_that_cannot_be_followed_raises_an_alert_and_changes_nothing(
    ward: Any, hospital: Any, changes: dict[str, Any], named: str
) -> None:
    box = ward.start()
    hospital.prescribe(**{"exercises": [ward.exercise("squat", "both", 1)]} | changes)
    hospital.wait(lambda heard: heard.of("alert") != [])
    (alert,) = hospital.of("alert")
    assert alert["code"] == "prescription_refused"
    assert named in alert["what"]
    assert hospital.of("session") == []
    assert box.stop() == 0


def test_an_exercise_without_its_reference_waits_for_it_and_the_others_go_on(ward: Any, hospital: Any) -> None:
    box = ward.start(session=ward.session(offer_again_s=1.0))
    squat = ward.exercise("squat", "both", 1)
    (file,) = (ward.folder / "references").iterdir()
    file.rename(ward.folder / "kept")
    hospital.prescribe([squat, ward.exercise("shoulder_abduction", "left", 1)])
    hospital.wait(lambda heard: any(message["state"] == "abandoned" for message in heard.of("session")))
    hospital.wait(lambda heard: heard.of("alert") != [])
    assert "squat" in hospital.of("alert")[0]["what"]
    (ward.folder / "kept").rename(file)
    hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
    assert [result["exercise"] for result in hospital.of("result")] == ["shoulder_abduction", "squat"]
    hospital.wait(lambda heard: any(alert["state"] == "cleared" for alert in heard.of("alert")))
    assert box.stop() == 0


def test_a_withdrawn_prescription_ends_its_session_without_a_result(ward: Any, hospital: Any) -> None:
    box = ward.start()
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 5)])
    hospital.wait(lambda heard: any(message["state"] == "recording" for message in heard.of("session")))
    hospital.client.publish(TOPICS.prescription, b"", retain=True)
    hospital.wait(lambda heard: any(message["state"] == "abandoned" for message in heard.of("session")))
    assert "withdrew" in hospital.of("session")[-1]["reason"]
    assert hospital.of("result") == []
    assert box.stop() == 0


def test_after_a_kill_the_session_says_how_it_ended_and_is_offered_again(
    ward: Any, hospital: Any, tmp_path: Path
) -> None:
    box = ward.start()
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 2)])
    hospital.wait(lambda heard: any(message["state"] == "recording" for message in heard.of("session")))
    until(lambda: any(file.stat().st_size > 20_000 for file in tmp_path.rglob("*.part")))
    box.process.kill()
    box.process.wait()
    ward.start()
    hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
    first, *_, last = hospital.of("session")
    (abandoned,) = [message for message in hospital.of("session") if message["state"] == "abandoned"]
    assert abandoned["id"] == first["id"] != last["id"]
    assert "lost power" in abandoned["reason"]
    assert [result["session"] for result in hospital.of("result")] == [last["id"]]
    assert list(tmp_path.rglob("*.part")) == []
    recovered = [read_session(file) for file in tmp_path.rglob("*.mcap")]
    assert sorted(recording.complete for recording in recovered) == [False, True]


def test_a_second_daemon_on_the_same_folder_is_refused(ward: Any) -> None:
    ward.start()
    until(lambda: "ready" in ward.boxes[0].log)
    second = ward.start()
    assert second.process.wait(60) == 2
    assert "another rehabbox works there" in second.log


def test_a_damaged_exercise_file_is_told_at_the_start(ward: Any, tmp_path: Path) -> None:
    (tmp_path / "config" / "exercises").mkdir(parents=True)
    (tmp_path / "config" / "exercises" / "zz.toml").write_text('id = "zz"')
    box = ward.start({"REHABBOX_CONFIG": str(tmp_path / "config")})
    assert box.process.wait(60) == 2
    assert "zz.toml" in box.log
    assert box.log.count("\n") == 1


def test_a_real_video_becomes_a_result_with_its_repetitions(
    ward: Any, hospital: Any, data: Path, tmp_path: Path
) -> None:
    video = {"driver": "video", "file": str(data / "video" / "squats.mp4")}
    with contextlib.closing(build_camera(video)) as camera, contextlib.closing(build_pose(POSE)) as pose:
        camera.open()
        pose.open()
        seen = record_pose(camera, pose).recording
    reference = tmp_path / "references" / "therapist.csv.gz"
    reference.parent.mkdir()
    write_skeleton_csv(reference, seen.between(0.0, 8.8))
    ward.start(camera=video, pose=POSE, indicator={"driver": "silent"})
    exercise = {"id": "squat", "side": "both", "repetitions": 3, "reference": digest_of(reference)}
    hospital.prescribe([exercise])
    hospital.wait(lambda heard: heard.of("result") != [])
    (result,) = hospital.of("result")
    assert_valid("result", [result])
    assert result["status"] == "scored"
    assert [repetition["complete"] for repetition in result["repetitions"]] == [True, True, False]
    found = [(repetition["start_s"], repetition["end_s"]) for repetition in result["repetitions"][:2]]
    for bounds, expected in zip(found, [(0.6, 3.6), (5.2, 8.2)], strict=True):
        assert bounds == pytest.approx(expected, abs=0.6)
    assert result["data_quality"]["frames"] == 65


def test_a_video_of_nobody_is_a_result_that_says_so(ward: Any, hospital: Any, tmp_path: Path) -> None:
    import av
    import numpy as np

    video = tmp_path / "empty-room.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 320, 240
        for shade in range(15):
            picture = np.full((240, 320, 3), 80 + shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    ward.start(camera={"driver": "video", "file": str(video)}, pose=POSE, indicator={"driver": "silent"})
    hospital.prescribe([ward.exercise("squat", "both", 1)])
    hospital.wait(lambda heard: heard.of("result") != [])
    (result,) = hospital.of("result")
    assert (result["status"], result["repetitions"]) == ("not_scored", [])
    assert "nobody" in result["reason"]
