"""The LED driver on a folder like the kernel's."""

import threading
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.registry import build_indicator
from hal.types import Cue


@pytest.fixture
def leds(tmp_path):
    """A function that makes an LED's folder: `leds(name, multi_index)`."""

    def make(name="status", multi_index=None, most=255):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "max_brightness").write_text(f"{most}\n")
        (folder / "brightness").write_text("7\n")
        (folder / "trigger").write_text("none timer [heartbeat] default-on\n")
        if multi_index:
            (folder / "multi_index").write_text(multi_index + "\n")
            (folder / "multi_intensity").write_text("0 0 0\n")
        return folder

    return make


@pytest.fixture
def opened(tmp_path):
    drivers = []

    def start(name="status", **options):
        driver = build_indicator({"driver": "led", "name": name, "root": str(tmp_path), **options})
        drivers.append(driver)
        driver.open()
        return driver

    yield start
    for driver in drivers:
        driver.close()


def until(file: Path, text: str) -> None:
    end = time.monotonic() + 3
    while file.read_text().strip() != text:
        assert time.monotonic() < end, f"{file} says {file.read_text()!r}, not {text!r}"
        time.sleep(0.005)


def test_it_takes_the_led_from_the_kernel_and_gives_it_back_dark(leds, opened):
    folder = leds()
    driver = opened()
    assert (folder / "trigger").read_text() == "none\n"
    assert (folder / "brightness").read_text() == "0\n"
    driver.show(Cue("recording"))
    until(folder / "brightness", "255")
    driver.close()
    assert (folder / "brightness").read_text() == "0\n"
    assert (folder / "trigger").read_text() == "heartbeat\n"


def test_it_blinks_in_the_cues_rhythm_and_changes_at_once(leds, opened):
    folder = leds()
    driver = opened()
    driver.show(Cue("scoring"))
    changes = []
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        level = (folder / "brightness").read_text().strip()
        if level and (not changes or changes[-1][1] != level):
            changes.append((time.monotonic(), level))
        time.sleep(0.002)
    steps = [after - before for (before, _), (after, _) in pairwise(changes[1:])]
    assert len(steps) >= 3
    assert median(steps) == pytest.approx(0.15, abs=0.05)
    driver.show(Cue("waiting"))
    until(folder / "brightness", "0")
    shown = time.monotonic()
    driver.show(Cue("recording"))
    until(folder / "brightness", "255")
    assert time.monotonic() - shown < 0.5


def test_a_multicolour_led_shows_the_colour_in_the_kernels_order(leds, opened):
    folder = leds(multi_index="blue green red", most=100)
    driver = opened(brightness=0.5)
    driver.show(Cue("abandoned"))
    until(folder / "multi_intensity", "0 60 100")
    until(folder / "brightness", "50")


def test_a_faint_led_with_two_levels_still_lights_up(leds, opened):
    folder = leds(most=1)
    opened(brightness=0.2).show(Cue("recording"))
    until(folder / "brightness", "1")


def test_an_led_that_is_not_there_is_named_with_those_that_are(leds, opened):
    leds("other")
    with pytest.raises(DeviceNotFoundError, match="there are: other"):
        opened("status")


def test_an_led_that_vanishes_is_lost_with_the_next_cue_and_can_be_opened_when_it_is_back(leds, opened):
    folder = leds()
    driver = opened()
    aside = folder.rename(folder.with_name("gone"))
    driver.show(Cue("scoring"))
    led = next(thread for thread in threading.enumerate() if thread.name == "led status")
    led.join(3)  # it ends with the first blink that fails
    with pytest.raises(DeviceLostError, match="status"):
        driver.show(Cue("waiting"))
    driver.close()
    aside.rename(folder)
    driver.open()
    driver.show(Cue("recording"))
    until(folder / "brightness", "255")
