"""What every button keeps to. The kernel's records come over a pipe with a name, as its device file gives them."""

import os
from pathlib import Path

import pytest

from hal.button.evdev import EVENT
from hal.errors import DeviceLostError, DeviceNotFoundError, DriverOptionError
from hal.recovering_button import RecoveringButton
from hal.registry import DRIVERS, build_button, driver_options


# A foot switch with the key KEY_B (48): scan code, key down, held (repeated), up, each closed by a report.
def press(second: int = 0) -> bytes:
    return b"".join(
        EVENT.pack(1764336000 + second, 120_000 + at, kind, code, value)
        for at, (kind, code, value) in enumerate(
            [(4, 4, 458757), (1, 48, 1), (0, 0, 0), (1, 48, 2), (0, 0, 1), (4, 4, 458757), (1, 48, 0), (0, 0, 0)]
        )
    )


@pytest.fixture
def switch(tmp_path):
    """A named pipe and the kernel's end of it."""
    path = tmp_path / "event3"
    os.mkfifo(path)
    kernel = os.open(path, os.O_RDWR)
    yield path, kernel
    os.close(kernel)


@pytest.fixture(params=sorted(DRIVERS["button"]))
def settings(request, switch):
    return {"driver": request.param} | ({"device": str(switch[0])} if request.param == "evdev" else {})


def test_it_says_who_it_is_opens_again_and_answers_at_once(settings):
    button = build_button(settings)
    assert button.info.driver == settings["driver"]
    files = len(list(Path("/proc/self/fd").iterdir()))
    button.close()
    for _ in range(3):
        button.open()
        assert button.presses() == 0
        button.close()
        button.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    with pytest.raises(DriverOptionError, match=r"button\.no_such_option"):
        driver_options("button", settings | {"no_such_option": 1})


def test_a_key_that_goes_down_is_one_press_however_long_it_is_held_and_however_the_bytes_come(switch):
    path, kernel = switch
    button = build_button({"driver": "evdev", "device": str(path)})
    button.open()
    os.write(kernel, press(0) + press(1))
    assert button.presses() == 2
    assert button.presses() == 0
    os.write(kernel, press(2)[:40])
    first = button.presses()
    os.write(kernel, press(2)[40:])
    assert first + button.presses() == 1
    button.close()


def test_a_contact_that_bounces_and_a_switch_that_sends_two_keys_are_pressed_once(switch):
    path, kernel = switch
    button = build_button({"driver": "evdev", "device": str(path)})
    button.open()
    for micros, code in ((0, 29), (0, 48), (9_000, 48), (31_000, 48)):
        os.write(kernel, EVENT.pack(1764336000, micros, 1, code, 1))
    assert button.presses() == 1
    os.write(kernel, EVENT.pack(1764336000, 180_000, 1, 48, 1))
    assert button.presses() == 1
    button.close()


def test_other_keys_of_the_device_do_not_count_where_one_is_named(switch):
    path, kernel = switch
    button = build_button({"driver": "evdev", "device": str(path), "keys": [30]})
    button.open()
    os.write(kernel, press())
    assert button.presses() == 0
    button.close()


def test_a_button_that_is_not_there_is_one_line_and_one_that_goes_is_lost(tmp_path):
    with pytest.raises(DeviceNotFoundError, match=r"event3: No such file or directory; see /dev/input/by-id"):
        build_button({"driver": "evdev", "device": str(tmp_path / "event3")}).open()
    os.mkfifo(tmp_path / "event4")
    kernel = os.open(tmp_path / "event4", os.O_RDWR)
    button = build_button({"driver": "evdev", "device": str(tmp_path / "event4")})
    button.open()
    os.close(kernel)
    with pytest.raises(DeviceLostError, match="gone"):
        button.presses()
    button.close()


def test_one_that_was_pulled_out_is_found_again_and_told_of_both_times(tmp_path):
    path, now_s, told = tmp_path / "event3", [0.0], []
    button = RecoveringButton(build_button({"driver": "evdev", "device": str(path)}), lambda: now_s[0])
    button.on_change = lambda condition: told.append(condition.state)
    assert button.presses() == 0
    os.mkfifo(path)
    kernel = os.open(path, os.O_RDWR)
    now_s[0] = 3.0
    assert button.presses() == 0
    assert told == ["lost"]
    now_s[0] = 6.0
    button.presses()
    os.write(kernel, press())
    assert button.presses() == 1
    assert told == ["lost", "ok"]
    button.close()
    os.close(kernel)


def test_the_synthetic_one_is_pressed_by_the_clock():
    button = build_button({"driver": "synthetic", "presses_s": [0.0, 0.0, 60.0]})
    button.open()
    assert button.presses() == 2
    assert button.presses() == 0
