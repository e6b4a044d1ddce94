"""What the box says: complete in every language, and spoken by the real espeak-ng."""

import shutil
import tomllib
import wave
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import get_args

import pytest

from appliance.exercises import load_exercises
from hal.errors import DeviceNotFoundError
from hal.indicator.prompts import prompt_files
from hal.registry import build_indicator
from hal.types import HINTS, WORDLESS, Cue, CueKind

ROOT = Path(__file__).parents[2]
LANGUAGES = sorted((ROOT / "config/prompts").glob("*.toml"))


@pytest.fixture(scope="module")
def prompting():
    spec = spec_from_file_location("prompting", ROOT / "tools/prompting/__main__.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wanted() -> set[str]:
    cues = {kind for kind in get_args(CueKind) if kind not in WORDLESS}
    hints = {f"{kind}-{hint}" for kind, hints in HINTS.items() for hint in hints}
    exercises = {f"ready-{exercise}" for exercise in load_exercises()}
    return cues | hints | exercises | {"side-left", "side-right", "side-both", "times", "times-1"}


def test_there_are_english_and_german():
    assert [file.stem for file in LANGUAGES] == ["de", "en"]


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: file.stem)
def test_every_language_says_every_cue_every_hint_and_every_exercise_and_nothing_else(file):
    texts = tomllib.loads(file.read_text("utf-8"))
    assert set(texts) == wanted()
    for text in texts.values():
        for variant in text if isinstance(text, list) else [text]:
            assert variant.strip()
            assert variant[-1] in ".?"
    assert len(texts["done"]) >= 3, "a kind word in several variants"
    assert "{count}" in texts["times"]


@pytest.mark.parametrize(("language", "once", "twice"), [("de", "Einmal.", "2 mal."), ("en", "Once.", "2 times.")])
def test_one_repetition_is_said_as_people_say_it(prompting, language, once, twice):
    texts = prompting.texts_of(ROOT / f"config/prompts/{language}.toml")
    assert (texts["times-1"], texts["times-2"]) == (once, twice)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng: apt install espeak-ng")
@pytest.mark.parametrize("language", ["de", "en"])
def test_texts_become_sound_files_that_the_speaker_finds(prompting, tmp_path, language):
    texts = prompting.texts_of(ROOT / f"config/prompts/{language}.toml")
    some = {name: texts[name] for name in ("ready-squat", "side-both", "times-8", "done.1", "done.2")}
    (tmp_path / language).mkdir()
    (tmp_path / language / "old.wav").write_bytes(b"of a text that is gone")
    assert prompting.speak(some, language, tmp_path / language) == 5
    files = prompt_files(tmp_path, language, Cue("ready", "squat", "both", 8))
    assert [file.name for file in files] == ["ready-squat.wav", "side-both.wav", "times-8.wav"]
    for file in files:
        with wave.open(str(file)) as sound:
            assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
            assert sound.getnframes() / sound.getframerate() > 0.5
    turns = [prompt_files(tmp_path, language, Cue("done", "squat", "both", 8), turn)[0].name for turn in range(3)]
    assert turns == ["done.1.wav", "done.2.wav", "done.1.wav"]
    assert not (tmp_path / language / "old.wav").exists()


def test_a_hint_goes_before_the_cues_own_words_and_beats_have_none(tmp_path):
    folder = tmp_path / "en"
    folder.mkdir()
    for name in ("place", "place-too_near", "beat_turn"):
        (folder / f"{name}.wav").write_bytes(b"")
    near, unsaid = (Cue("place", "squat", "both", 3, {"hint": hint}) for hint in ("too_near", "turned"))
    assert [file.stem for file in prompt_files(tmp_path, "en", near)] == ["place-too_near"]
    assert [file.stem for file in prompt_files(tmp_path, "en", unsaid)] == ["place"]
    assert prompt_files(tmp_path, "en", Cue("beat_turn")) == []
    assert prompt_files(tmp_path, "fr", near) == []


def test_a_language_that_nobody_speaks_here_is_named_with_those_there_are(tmp_path, monkeypatch):
    (tmp_path / "de").mkdir()
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\n")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    speaker = build_indicator({"driver": "speaker", "prompts": str(tmp_path), "language": "fr"})
    with pytest.raises(DeviceNotFoundError, match=r"no language 'fr'; there are: aplay, de"):
        speaker.open()
