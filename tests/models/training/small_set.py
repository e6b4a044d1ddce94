"""Small sets in FineRehab's layout: made by the box's own exporter from virtual patients."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from appliance.recording.export import cuts_of_session
from appliance.recording.finerehab_json import Cut
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from hal.virtual.impairment import Impairment
from hal.virtual.patient import VirtualPatient


def cuts_of(
    subject: str, seed: int, exercise: str, side: str, sessions: Path, impairment: Impairment | None = None
) -> list[Cut]:
    """Two repetitions, recorded into a session file in `sessions` and exported from it. seed: who it is."""
    patient = VirtualPatient(seed)
    patient.rest(exercise, side, at_s=-10.0)
    end_s = patient.perform(exercise, side, 2, at_s=0.0, impairment=impairment)
    times = np.arange(0.0, end_s + 1.0, 1 / 15)
    metadata = SessionMetadata(
        session=f"{subject} {exercise} {side}",
        index=0,
        exercise=exercise,
        started="2026-11-22T10:15:00Z",
        software="0.1.0",
        side=side,
        subject=subject,
    )
    path = metadata.file_in(sessions)
    path.parent.mkdir(parents=True)
    writer = SessionWriter.open(path, metadata)
    for time_s, positions in zip(times, patient.joints(times), strict=True):
        writer.add_skeleton(round(time_s * 1e9), round(time_s * 1e9), positions, np.ones(17))
    writer.finish()
    return list(cuts_of_session(path))


def write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
