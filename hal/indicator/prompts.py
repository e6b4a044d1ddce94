"""Spoken words of a cue: one WAV file a language and a cue, recorded by whoever speaks that language."""

from __future__ import annotations

from pathlib import Path

from hal.types import Cue


def prompt_file(folder: Path, language: str, cue: Cue) -> Path | None:
    """The most particular one there is: `<folder>/<language>/ready-squat.wav`, else `ready.wav`; else None."""
    names = ([f"{cue.kind}-{cue.exercise}.wav"] if cue.exercise else []) + [f"{cue.kind}.wav"]
    return next((file for name in names if (file := folder / language / name).is_file()), None)
