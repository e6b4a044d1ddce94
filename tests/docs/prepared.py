"""What the pages take for granted before their first command: recordings of virtual patients, and real ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.skeleton.standard import recording_of
from hal.virtual.patient import VirtualPatient, reference


def two_videos(folder: Path) -> None:
    data = os.environ.get("REHABBOX_DATA")
    if not data or not Path(data).is_dir():
        pytest.skip("needs the real recordings: set REHABBOX_DATA to their folder")
    for name in ("therapist.mp4", "patient.mp4"):
        shutil.copy(Path(data) / "video" / "squats.mp4", folder / name)


def squats(file: Path, seed: int | None, tempo: float = 2.0) -> None:
    """By a virtual patient; without a seed, by the instructor."""
    if seed is None:
        write_skeleton_csv(file, recording_of(*reference("squat", "both", repetitions=2, tempo=tempo)))
        return
    patient = VirtualPatient(seed)
    patient.rest("squat", "both", at_s=-10.0)
    end_s = patient.perform("squat", "both", 2, at_s=0.0, tempo=tempo)
    times = np.arange(int((end_s + 1.0) * 30)) / 30
    write_skeleton_csv(file, recording_of(times, patient.joints(times)))


def healthy_squats(folder: Path) -> None:
    (folder / "healthy").mkdir()
    for seed in range(3):
        squats(folder / "healthy" / f"squat_{seed}.csv.gz", seed)
    squats(folder / "squat_today.csv.gz", 7)


def a_set_and_its_session(folder: Path) -> None:
    squats(folder / "therapist.csv.gz", None)
    squats(folder / "today.csv.gz", 7)
    for name in ("references", "earlier"):
        (folder / name).mkdir()
    (folder / "sessions").mkdir()
    shutil.copy(folder / "therapist.csv.gz", folder / "references")
    metadata = SessionMetadata(
        session="s", index=0, exercise="squat", started="2026-11-02T09:00:00+00:00", software="rehabbox",
        side="both", subject="p-1", reference=digest_of(folder / "therapist.csv.gz"),
    )  # fmt: skip
    patient = VirtualPatient(7)
    patient.rest("squat", "both", at_s=-10.0)
    end_s = patient.perform("squat", "both", 2, at_s=0.0, tempo=2.0)
    writer = SessionWriter.open(folder / "00_squat.mcap", metadata)
    for time in np.arange(int((end_s + 1.0) * 30)) / 30:
        stamp_ns = int(time * 1e9)
        writer.add_skeleton(stamp_ns, stamp_ns, patient.joints(np.array([time]))[0], np.ones(17))
    writer.finish()
