"""Reference recordings for the demo, made by the virtual instructor: each movement as written, without noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.skeleton.standard import recording_of
from hal.virtual.patient import VirtualPatient
from hal.virtual.performance import INSTRUCTOR

RATE_HZ = 30.0
REST_S = 1.0


def record_reference(exercise: str, side: str, repetitions: int, tempo: float, folder: Path) -> str:
    """Writes `<exercise>.csv.gz` into the folder and returns its digest. tempo: 2 is twice as fast as usual."""
    instructor = VirtualPatient(style=INSTRUCTOR)
    end_s = instructor.perform(exercise, side, repetitions, at_s=0.0, lead_in_s=REST_S, tempo=tempo)
    times = np.arange(0.0, end_s + REST_S, 1.0 / RATE_HZ)
    file = folder / f"{exercise}.csv.gz"
    write_skeleton_csv(file, recording_of(times, instructor.joints(times)))
    return digest_of(file)
