"""Reference recordings for the demo, made by the virtual instructor: each movement as written, without noise."""

from __future__ import annotations

from pathlib import Path

from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.skeleton.standard import recording_of
from hal.virtual.patient import reference


def record_reference(exercise: str, side: str, repetitions: int, tempo: float, folder: Path) -> str:
    """Writes `<exercise>.csv.gz` into the folder and returns its digest. tempo: 2 is twice as fast as usual."""
    times, positions = reference(exercise, side, repetitions, tempo=tempo)
    file = folder / f"{exercise}.csv.gz"
    write_skeleton_csv(file, recording_of(times, positions))
    return digest_of(file)
