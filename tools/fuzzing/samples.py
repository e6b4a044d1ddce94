"""Small valid inputs, the same at every run: made by our own writers where there are some."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
from mcap.records import Channel, Message, Metadata

from appliance.recording.finerehab_json import Cut, write_finerehab
from appliance.recording.imu_csv import COLUMNS
from appliance.recording.mcap_records import records
from appliance.recording.session_finishing import finish_session
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from hal.types import ImuSample

FRAMES = 5
"""Few, since every input is read to its end."""

PRESCRIPTION = {
    "id": "2f9a2b7e-35bb-4b53-8d0c-1f4d1f5f9f01",
    "issued": "2026-03-01T08:00:00+01:00",
    "expires": "2026-03-02T08:00:00Z",
    "subject": "patient 17",
    "affected_side": "left",
    "exercises": [
        {"id": "squat", "side": "both", "repetitions": 5, "reference": "sha256:" + "0123456789abcdef" * 4},
        {"id": "row", "side": "left", "repetitions": 3, "reference": "ab" * 32, "paced": True, "limits": {"depth": 1}},
    ],
}


def recording() -> Recording:
    """Joints that wander, one of them not seen for a while."""
    chance = np.random.default_rng(1)
    positions = chance.normal(size=(FRAMES, len(JOINTS), 3))
    positions[1:3, 4] = np.nan
    return recording_of(np.arange(FRAMES) / 30, positions)


def skeleton() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "skeleton.csv"
        write_skeleton_csv(path, recording())
        return path.read_bytes()


def finerehab() -> bytes:
    sensors = {"head": np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1))}
    with tempfile.TemporaryDirectory() as folder:
        return write_finerehab(Path(folder), Cut("one", "squat", "both", 1, recording(), sensors)).read_bytes()


def imu() -> bytes:
    rows = np.column_stack([np.arange(12) / 96, np.random.default_rng(2).normal(size=(12, 6))])
    return "\n".join([",".join(COLUMNS), *(",".join(f"{value:.5f}" for value in row) for row in rows), ""]).encode()


def bvh() -> bytes:
    """A whole person, every joint with three angles."""
    limbs = [["LeftUpLeg", "LeftLeg", "LeftFoot"], ["RightUpLeg", "RightLeg", "RightFoot"]]
    upper = [["Neck", "Head"], *([side + part for part in ("Shoulder", "Arm", "ForeArm", "Hand")]
                                 for side in ("Left", "Right"))]  # fmt: skip

    def chain(names: list[str], inside: str = "End Site { OFFSET 0 1 0 }") -> str:
        for name in reversed(names):
            inside = f"JOINT {name} {{ OFFSET 1 20 2 CHANNELS 3 Zrotation Xrotation Yrotation {inside} }}"
        return inside

    trunk = chain(["Spine", "Spine1"], " ".join(map(chain, upper)))
    root = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    head = f"HIERARCHY ROOT Hips {{ OFFSET 0 95 0 {root} {' '.join(map(chain, limbs))} {trunk} }}"
    width = 3 * (head.count("JOINT") + 2)
    values = np.random.default_rng(3).uniform(-40, 40, (4, width))
    rows = "\n".join(" ".join(f"{value:.3f}" for value in row) for row in values)
    return f"{head}\nMOTION\nFrames: 4\nFrame Time: 0.0333\n{rows}\n".encode()


def session() -> tuple[bytes, bytes]:
    """The finished file, and the one that it was in until then."""
    seen = recording()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "00_squat.mcap"
        writer = SessionWriter.open(path, SessionMetadata(
            session="one", index=0, exercise="squat", started="2026-03-01T08:00:00Z", software="1"))  # fmt: skip
        for index in range(FRAMES):
            stamp_ns = index * 33_000_000
            writer.add_skeleton(stamp_ns, stamp_ns + 5, seen.positions[index], seen.confidence[index])
            vector = np.array([0.0, 9.81, index])
            turn = np.array([1.0, 0.0, 0.0, 0.0]) if index % 2 else None
            writer.add_imu([ImuSample("head", index, stamp_ns, stamp_ns + 9, vector, vector, turn)])
        writer.add_event(40_000_000, "cue", {"name": "begin", "late_s": 0.5})
        writer.close()
        (part,) = Path(folder).iterdir()
        whole = part.read_bytes()
        return finish_session(part).read_bytes(), whole


def session_messages(whole: bytes) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """The metadata and the messages (topic, content) of a session file."""
    found = list(records(BytesIO(whole)))
    (metadata,) = (record.metadata for record in found if isinstance(record, Metadata))
    topics = {record.id: record.topic for record in found if isinstance(record, Channel)}
    return metadata, [(topics[record.channel_id], record.data) for record in found if isinstance(record, Message)]
