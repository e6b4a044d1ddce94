"""One example of each message, of one and the same session. Figures of the result: the virtual patient's, rounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from appliance.messages.alert import Alert
from appliance.messages.answer import Answer, ErasedFile, Erasure
from appliance.messages.command import COMMANDS as COMMAND_PAYLOADS
from appliance.messages.command import Command
from appliance.messages.health import DeviceHealth, Health
from appliance.messages.prescription import PrescribedExercise, Prescription
from appliance.messages.reference import Reference
from appliance.messages.result import (
    DataQuality,
    FineRehab,
    Quality,
    Repetition,
    RepetitionQuality,
    Result,
    Score,
    Versions,
)  # fmt: skip
from appliance.messages.session import Session, SessionExercise
from appliance.messages.status import Status

BOX, SUBJECT = "box-0417", "p-20931"
STARTED = datetime(2026, 3, 2, 9, 14, 3, tzinfo=UTC)
SESSION_ID = UUID("5f0c1a52-8f0e-4a55-9a63-0a6a4fb2d2c1")
PRESCRIPTION_ID = UUID("c2b6d9de-3f83-4a0f-8f0e-7a54d1a9a310")
RESULT_ID = UUID("0d1b6d57-2c9f-4f0e-b6c5-5a1b0c3f7e42")
REFERENCE = "sha256:6c27b2a312a0295b109a81b698ee7328cd221b38b05da0d32aae105d5586cce1"
WEIGHTS = "sha256:1efffdfa8db0a85ab97a5d419b2d21c2dba56d75406ea5a90f2d0dcb9245e7d4"
SOFTWARE, MODEL = "rehabbox 0.1.0", "quality 1"
DRIVERS = {"camera": "synthetic", "pose": "device", "imu": "synthetic", "indicator": "synthetic"}

STATUS = Status(
    state="online", connection=41, since=STARTED - timedelta(minutes=6), software=SOFTWARE, model=MODEL,
    weights=WEIGHTS, drivers=DRIVERS, sbom_sha256=None,
)  # fmt: skip

HEALTH = Health(
    box=BOX, at=STARTED + timedelta(seconds=12), uptime_s=372.4, disk_free_bytes=67_442_065_408,
    disk_bytes=270_553_174_016, temperature_c=51.5, queued=0, oldest_unsent=None, delivered=512,
    devices={
        "camera": DeviceHealth(
            driver="synthetic", name="synthetic camera", state="ok", error=None, rate_hz=29.84, expected_hz=30.0,
            received=341, lost=0, interruptions=0, attempts=0, away_s=0.0, counters={"lost": 0, "dropped": 0},
            silent=(), battery_percent=None, sync_error_ms=None,
        ),
        "imu": DeviceHealth(
            driver="synthetic", name="synthetic IMU set", state="recovering", error="the receiver does not answer",
            rate_hz=92.3, expected_hz=96.0, received=18_329, lost=150, interruptions=1, attempts=2, away_s=6.5,
            counters={"lost": 150, "dropped": 0}, silent=("left_hand",), battery_percent={"receiver": 87},
            sync_error_ms=4.1,
        ),
    },
)  # fmt: skip

ALERT = Alert(
    code="reference_missing", state="raised", since=STARTED - timedelta(minutes=1),
    what=f"squat: no reference {REFERENCE} is at hand", remedy="Send a usable reference to the box.",
)  # fmt: skip

PRESCRIPTION = Prescription(
    id=PRESCRIPTION_ID, issued=STARTED - timedelta(hours=2), expires=STARTED + timedelta(hours=12), subject=SUBJECT,
    affected_side="left",
    exercises=(
        PrescribedExercise(id="shoulder_abduction", side="left", repetitions=2, reference=REFERENCE),
        PrescribedExercise(id="squat", side="both", repetitions=5, reference=REFERENCE, paced=True),
    ),
)  # fmt: skip

SESSION = Session(
    id=SESSION_ID, box=BOX, prescription=PRESCRIPTION_ID, subject=SUBJECT, state="ready", started=STARTED,
    at=STARTED + timedelta(seconds=8), current=1, synthetic=True,
    exercises=(
        SessionExercise(
            exercise="shoulder_abduction", side="left", repetitions=2, outcome="scored", result=RESULT_ID
        ),
        SessionExercise(exercise="squat", side="both", repetitions=5),
    ),
)  # fmt: skip

RESULT = Result(
    id=RESULT_ID, sequence=318, box=BOX, session=SESSION_ID, prescription=PRESCRIPTION_ID, subject=SUBJECT,
    exercise="shoulder_abduction", side="left", started=STARTED, ended=STARTED + timedelta(seconds=5.131),
    status="scored", reason=None, paced=False, historical=False, synthetic=True,
    repetitions=(
        Repetition(
            start_s=0.0, reverse_s=0.62, end_s=1.285, complete=True, pose_dissimilarity=0.0677,
            dynamics_dissimilarity=-0.0396,
        ),
        Repetition(
            start_s=1.918, reverse_s=2.656, end_s=3.395, complete=True, pose_dissimilarity=0.0352,
            dynamics_dissimilarity=-0.0115,
        ),
    ),
    score=Score(
        pose_dissimilarity=0.0553, dynamics_dissimilarity=-0.0463, dissimilarity=0.0712, phi_deg=41.0,
        intensity=0.1147, intensity_reference=0.0683, mean_distance=0.0733, min_distance=0.0181, pairs=127, cost=9.77,
        mean_lag_s=-0.789, lag_spread_s=0.076, tempo_ratio=0.891,
        joints={"left_shoulder": 0.0086, "left_elbow": 0.2694, "left_wrist": 0.7221},
        dissimilarity_extended=5.722, extended={"posture": 1.024, "trunk_compensation": 0.78, "body_path": 1.281},
        extended_joints={"thorax": 1.318, "head": 1.586}, mirrored=False,
        joint_distances={"left_shoulder": 0.1216, "left_elbow": 0.1272, "left_wrist": 0.1452},
        angle_ranges={"trunk": 3.58, "left_elbow": 6.43, "left_shoulder": 116.3, "right_shoulder": 5.0},
        angle_ranges_reference={"trunk": 0.0, "left_elbow": 0.5, "left_shoulder": 115.7, "right_shoulder": 0.0},
        inter_limb={"shoulder": {"distance": 0.1065, "reference": 0.0357, "ratio": 2.984}},
        noise_floor={"pose_dissimilarity": 0.0, "dynamics_dissimilarity": 0.0016},
        notes=("reference: up is the camera's own, not gravity's: a tilted camera changes the score",),
    ),
    quality=Quality(
        quality=0.93, level=1, movement="shoulder_abduction", sure=True,
        repetitions=(
            RepetitionQuality(quality=0.91, level=1, movement="shoulder_abduction"),
            RepetitionQuality(quality=0.95, level=1, movement="shoulder_abduction"),
        ),
    ),
    fine_rehab=FineRehab(
        score=3.34, dimensions={"completeness": 3.8, "correction": 2.9, "smoothness": 3.2},
        grades={"correction": {"trunk": 2.6, "left_arm": 3.0, "right_leg": None}},
        level=None, no_level="no distribution of scores is installed",
    ),
    symmetry={"pose": 1.0, "inter_limb_distance": 0.754, "inter_limb_ratio": 1.25, "range": 0.842},
    data_quality=DataQuality(
        frames=138, lost=0, joints_seen=1.0, sync_error_ms=4.06, kept=0.978, filled=0.0, gravity="accelerometer"
    ),
    versions=Versions(
        software=SOFTWARE, reference=REFERENCE, model=MODEL, weights=WEIGHTS, calibration="sha256:" + "5c" * 32,
        drivers=DRIVERS,
    ),
)  # fmt: skip

SIGNED_REFERENCE = Reference(
    digest="sha256:491e9b747bc792a2ba55570ddfd42c53b98b9d90dcb597f2a79da61bfb24a9b8", exercise="squat",
    issued=STARTED - timedelta(days=3),
    takes=(b"time_s,pelvis.x,...\n0.000000,0.012000,...\n",),  # a whole one has a hundred thousand bytes
    signature="umeaoUg/zn9rBPKvv2QEiwBLhg6eq7ZFlZtNoqIpbJOkwwEoB5ODYOcjQRoeP5u9YzuLjLec0CQ2Dt5MvuZ7BA==",
)  # fmt: skip
"""Signed by the first key of RFC 8032, section 7.1, which the whole world knows."""

COMMAND_LIFE_S = 86400
COMMAND_ID = UUID("8d0f7c1e-6b5a-4d8e-9a51-3c2f1b7e4d60")
_PARAMETERS: dict[str, dict[str, object]] = {
    "self-test": {},
    "record-reference": {"exercise": "squat", "side": "both", "repetitions": 5, "takes": 2},
    "set-log-level": {"level": "DEBUG"},
    "rotate-certificate": {},
    "update": {"version": "0.2.0"},
    "forget-patient": {"subject": SUBJECT, "unsent": "deliver"},
    "correct-result": {
        "result": RESULT_ID,
        "action": "withdraw",
        "by": "therapist-7",
        "reason": "somebody else did the exercise",
    },
}
COMMANDS: dict[str, Command] = {
    name: payload.model_validate(
        {"id": COMMAND_ID, "box": BOX, "issued": STARTED, "expires": STARTED + timedelta(seconds=COMMAND_LIFE_S)}
        | _PARAMETERS[name]
    )
    for name, payload in COMMAND_PAYLOADS.items()
}

ANSWER = Answer(
    box=BOX, at=STARTED + timedelta(minutes=2), request="command/forget-patient", id=COMMAND_ID, outcome="done",
    erasure=Erasure(
        files=1, bytes=214_016, messages=0, unsent=0, searched_files=9, searched_bytes=118_784, found=(),
        erased=(
            ErasedFile(
                name=f"sessions/{SESSION_ID}/00_shoulder_abduction.mcap", bytes=214_016, sha256="sha256:" + "7e" * 32
            ),
        ),
    ),
)  # fmt: skip
