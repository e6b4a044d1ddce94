"""Spoken words of a cue: WAV files, one language a folder, made from `config/prompts` or recorded by a speaker."""

from __future__ import annotations

from pathlib import Path

from hal.types import WORDLESS, Cue


def prompt_files(folder: Path, language: str, cue: Cue, turn: int = 0) -> list[Path]:
    """What to play, in order; none where there is nothing to say.

    The most particular file there is: `<folder>/<language>/<cue>-<hint>.wav`, else `<cue>-<exercise>.wav`, else
    `<cue>.wav`. `<name>.1.wav`, `<name>.2.wav` ... are variants of one text: turn chooses among them. `ready` also
    says the side (`side-left.wav`) and how often (`times-8.wav`).
    """
    if cue.kind in WORDLESS:
        return []
    place = folder / language
    particular = [f"{cue.kind}-{what}" for what in (cue.hint, cue.exercise) if what]
    spoken = next(filter(None, (_variants(place, name) for name in (*particular, cue.kind))), [])
    files = [spoken[turn % len(spoken)]] if spoken else []
    if cue.kind == "ready" and files:
        more = (place / f"side-{cue.side}.wav", place / f"times-{cue.repetitions}.wav")
        files += [file for file in more if file.is_file()]
    return files


def _variants(place: Path, name: str) -> list[Path]:
    plain = place / f"{name}.wav"
    return [plain] if plain.is_file() else sorted(place.glob(f"{name}.[0-9].wav"))
