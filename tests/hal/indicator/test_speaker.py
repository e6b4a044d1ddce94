"""The loudspeaker through the real `aplay`, into ALSA's own file and null devices."""

import shutil
import time

import numpy as np
import pytest

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.indicator.signals import SIGNALS
from hal.indicator.tones import tones, write_wav
from hal.registry import build_indicator
from hal.types import Cue

needs_aplay = pytest.mark.skipif(shutil.which("aplay") is None, reason="needs aplay: apt install alsa-utils")


@pytest.fixture
def opened():
    drivers = []

    def start(**options):
        driver = build_indicator({"driver": "speaker", **options})
        drivers.append(driver)
        driver.open()
        return driver

    yield start
    for driver in drivers:
        driver.close()


@pytest.fixture
def slow_player(tmp_path, monkeypatch):
    """An `aplay` that lasts for a minute and notes what it was to play: a device that takes its time."""
    notes = tmp_path / "played"
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\necho "$3" >> {notes}\ncase "$3" in *silence*) ;; *) exec sleep 60;; esac\n')
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{player.parent}:/usr/bin:/bin")
    return lambda: [line.rsplit("/", 1)[-1] for line in notes.read_text().split()]


def until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@needs_aplay
def test_a_cues_tones_and_then_its_words_reach_the_device(opened, tmp_path):
    words = np.full(4000, 1234, np.int16)
    (tmp_path / "de").mkdir()
    write_wav(tmp_path / "de" / "ready-squat.wav", words)
    write_wav(tmp_path / "de" / "ready.wav", -words)
    heard = tmp_path / "heard.raw"
    driver = opened(device=f"file:{heard},raw", prompts=str(tmp_path), language="de")
    heard.write_bytes(b"")
    driver.show(Cue("ready", "squat", "both", 3))
    until(lambda: heard.stat().st_size >= 2 * (len(tones(SIGNALS["ready"], 0.5)) + len(words)))
    sound = np.fromfile(heard, np.int16)
    expected = tones(SIGNALS["ready"], 0.5)
    assert np.array_equal(sound[: len(expected)], expected)
    assert (sound[len(expected) :] == 1234).sum() == len(words)
    assert not (sound[len(expected) :] < 0).any()


@needs_aplay
def test_a_device_that_is_not_there_is_named(opened):
    with pytest.raises(DeviceNotFoundError, match=r"no-such-card.*aplay -L"):
        opened(device="no-such-card")


def test_without_aplay_it_says_what_to_install(opened, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceNotFoundError, match="alsa-utils"):
        opened()


def test_a_new_cue_ends_the_one_before_and_showing_never_waits(opened, slow_player):
    driver = opened()
    began = time.monotonic()
    for kind in ("ready", "recording", "scoring", "done") * 5:
        driver.show(Cue(kind))
    driver.show(Cue("waiting"))
    assert time.monotonic() - began < 0.5
    until(lambda: slow_player()[-1] == "waiting.wav")
    assert len(slow_player()) <= 2 + 20
    began = time.monotonic()
    driver.close()
    assert time.monotonic() - began < 1.0


def test_a_player_that_fails_is_said_with_the_next_cue(opened, tmp_path, monkeypatch):
    player = tmp_path / "aplay"
    player.write_text(
        '#!/bin/sh\ncase "$3" in *silence*) exit 0;; esac\necho "aplay: the card was unplugged" >&2\nexit 1\n'
    )
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    driver = opened()
    driver.show(Cue("ready"))

    def lost():
        try:
            driver.show(Cue("waiting"))
        except DeviceLostError as error:
            return "the card was unplugged" in str(error)
        return False

    until(lost)
