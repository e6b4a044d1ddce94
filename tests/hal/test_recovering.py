"""The recovery ladder: what is tried when, how often, and what a reader sees of it. Time is the test's own."""

from __future__ import annotations

import termios
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hal.errors import DeviceLostError, DeviceNotFoundError, StreamEndedError
from hal.recovering import RecoveringCamera, RecoveringImuSet
from hal.recovering_indicator import RecoveringIndicator
from hal.recovery import RecoverySettings
from hal.types import Counters, Cue, DeviceInfo, Frame, ImuSample
from hal.usb_port import UsbPort

PERIOD_S = 0.1


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Device:
    """A camera at 10 Hz whose clock and index begin anew with each opening; what it does next is set from outside."""

    Options = RecoverySettings

    def __init__(self, time: Time, synthetic: bool = False) -> None:
        self.time, self.synthetic = time, synthetic
        self.alive, self.mute, self.ended = True, False, False
        self.open_ = False
        self.fault: Exception | None = None
        self.calls: list[tuple[float, str]] = []
        self.counters = Counters()

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("test", "the device", 1 / PERIOD_S, synthetic=self.synthetic)

    def open(self) -> None:
        self.calls.append((self.time.now, "open"))
        if not self.alive:
            raise DeviceNotFoundError("the device: not found")
        self.open_, self.index, self.opened = True, 0, self.time.now
        self.counters = Counters()

    def close(self) -> None:
        self.open_ = False

    def reset(self) -> None:
        assert not self.open_
        self.calls.append((self.time.now, "reset"))

    def read(self, timeout_s: float) -> Any:
        if not self.open_:
            raise DeviceLostError("the device: not open")
        if self.fault is not None:
            raise self.fault
        if self.ended:
            raise StreamEndedError("over")
        if not self.alive:
            raise DeviceLostError("the device: stopped answering")
        if self.mute:
            self.time.sleep(timeout_s)
            return None
        self.time.now = max(self.time.now, self.opened + PERIOD_S * self.index)
        self.index += 1
        return self.made()

    def made(self) -> Any:
        return Frame(self.index, round((self.time.now - self.opened) * 1e9) + 7, round(self.time.now * 1e9))


class Sensors(Device):
    """Two sensors at 10 Hz, each with a clock of its own."""

    silent: tuple[str, ...] = ()

    def made(self) -> Any:
        still = np.zeros(3)
        return [
            ImuSample(name, self.index, stamp + round((self.time.now - self.opened) * 1e9),
                      round(self.time.now * 1e9), still, still)
            for name, stamp in (("head", 5), ("left_hand", 10**9))
        ]  # fmt: skip


@pytest.fixture
def time() -> Time:
    return Time()


def camera(device: Device, time: Time, port: UsbPort | None = None, silence_s: float = 5.0) -> RecoveringCamera:
    return RecoveringCamera(device, RecoverySettings(silence_s=silence_s), port, time, time.sleep)


def frames(recovering: RecoveringCamera, seconds: float, time: Time) -> list[Frame]:
    end, got = time.now + seconds, []
    while time.now < end:
        frame = recovering.read(0.2)
        got += [frame] * (frame is not None)
    return got


def test_a_healthy_device_is_passed_through_untouched(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    assert recovering.condition.state == "idle"
    recovering.open()
    got = frames(recovering, 2.0, time)
    assert [frame.stamp_ns for frame in got] == [round(PERIOD_S * i * 1e9) + 7 for i in range(len(got))]
    condition = recovering.condition
    assert (condition.state, condition.interruptions, condition.attempts, condition.lost) == ("ok", 0, 0, 0)
    assert condition.received == len(got) == pytest.approx(condition.open_s / PERIOD_S, abs=1)
    recovering.close()
    assert recovering.condition.state == "idle"


def test_a_device_that_returns_leaves_a_gap_in_one_line_of_stamps_and_counters(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    got = frames(recovering, 3.0, time)
    device.alive = False
    assert frames(recovering, 1.0, time) == []
    assert recovering.condition.state == "recovering"
    device.alive = True
    got += frames(recovering, 8.0, time)
    stamps = np.array([frame.stamp_ns for frame in got]) / 1e9
    arrivals = np.array([frame.arrival_ns for frame in got]) / 1e9
    assert (np.diff(stamps) > 0).all()
    assert np.ptp(arrivals - stamps) < 0.01
    gap = max(after - before for before, after in pairwise(stamps))
    assert gap == pytest.approx(6.6, abs=0.2)
    assert got[-1].index - got[0].index + 1 - len(got) == pytest.approx(gap / PERIOD_S, abs=2)
    condition = recovering.condition
    assert (condition.state, condition.error, condition.interruptions) == ("ok", None, 1)
    assert condition.away_s == pytest.approx(gap, abs=0.2)
    assert condition.lost == got[-1].index - got[0].index + 1 - len(got)


def test_each_sensor_keeps_its_own_line(time: Time) -> None:
    device = Sensors(time)
    recovering = RecoveringImuSet(device, RecoverySettings(), None, time, time.sleep)
    recovering.open()
    got: list[ImuSample] = []
    for present, reads in ((True, 10), (False, 5), (True, 70)):
        device.alive = present
        for _ in range(reads):
            got += recovering.read(0.2)
    for name in ("head", "left_hand"):
        own = [sample for sample in got if sample.segment == name]
        assert len(own) > 15
        for before, after in pairwise(own):
            assert after.stamp_ns > before.stamp_ns
            assert after.counter > before.counter
            assert (after.stamp_ns - before.stamp_ns) / 1e9 == pytest.approx(
                (after.arrival_ns - before.arrival_ns) / 1e9, abs=0.01
            )
    assert recovering.condition.sources == 2
    assert recovering.condition.received == len(got)


def test_a_sensor_that_was_missing_for_a_while_is_remembered_until_the_set_is_opened_again(time: Time) -> None:
    device = Sensors(time)
    recovering = RecoveringImuSet(device, RecoverySettings(), None, time, time.sleep)
    recovering.open()
    for missing in ((), ("right_foot",), ("right_foot", "left_foot"), ("left_foot",)):
        device.silent = missing
        recovering.read(0.2)
    recovering.close()
    device.silent = ("head", "left_hand")  # a closed driver hears nobody
    condition = recovering.condition
    assert (condition.silent, condition.fell_silent) == (("left_foot",), ("right_foot", "left_foot"))
    assert condition.sources == 3
    recovering.open()
    assert (recovering.condition.silent, recovering.condition.fell_silent) == ((), ())


def plugged(root: Path) -> tuple[Path, Path]:
    """A kernel's folder with a port that can be switched: what is plugged in, and the switch."""
    device, switch = root / "2-1.4", root / "2-1:1.0" / "2-1-port4" / "disable"
    device.mkdir()
    switch.parent.mkdir(parents=True)
    switch.write_text("0")
    return device, switch


def test_the_ladder_climbs_from_reopening_to_power_with_growing_pauses_and_then_round_again(
    time: Time, tmp_path: Path
) -> None:
    _, switch = plugged(tmp_path)
    device = Device(time)

    def off(seconds: float) -> None:
        device.calls.append((time.now, f"power {switch.read_text()}"))
        time.sleep(seconds)

    recovering = camera(device, time, UsbPort("2-1.4", tmp_path, off))
    seen: list[str] = []
    recovering.on_change = lambda condition: seen.append(condition.state)
    recovering.open()
    device.alive = False
    lost_at = time.now
    with pytest.raises(DeviceLostError, match="not found"):
        frames(recovering, 60.0, time)
    assert time.now - lost_at == pytest.approx(45.0, abs=0.3)
    assert [call for _, call in device.calls[1:]] == ["open", "reset", "open", "power 1", "open", "open"]
    assert [at - lost_at for at, _ in device.calls[1:]] == pytest.approx([0.0, 0.5, 0.5, 6.5, 19.5, 35.5])
    assert switch.read_text() == "0"
    assert seen == ["recovering", "lost"]
    condition = recovering.condition
    assert (condition.state, condition.attempts, condition.interruptions) == ("lost", 5, 1)
    frames(recovering, 25.0, time)
    assert [call for _, call in device.calls[7:]] == ["open", "reset", "open", "power 1"]


def test_a_device_that_can_only_be_opened_is_only_opened(time: Time) -> None:
    class Plain(Device):
        reset = property()  # type: ignore[assignment]

    device = Plain(time)
    recovering = camera(device, time)
    recovering.open()
    device.alive = False
    frames(recovering, 44.0, time)
    assert [call for _, call in device.calls[1:]] == ["open"] * 5


@pytest.mark.parametrize("away_s", [0.3, 3.0, 13.0, 25.0, 34.0])
def test_an_absence_of_half_a_minute_ends_nothing(time: Time, away_s: float) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    device.alive = False
    assert frames(recovering, away_s, time) == []
    device.alive = True
    assert frames(recovering, 17.0, time) != []
    assert recovering.condition.away_s < away_s + 16.0
    assert recovering.condition.state == "ok"


@pytest.mark.parametrize("away_s", [1.0, 8.0, 13.0, 21.0, 30.0, 44.0, 300.0])
def test_a_device_that_is_plugged_in_again_is_opened_at_once_and_its_absence_costs_no_attempts(
    time: Time, tmp_path: Path, away_s: float
) -> None:
    node = tmp_path / "ttyUSB0"
    node.touch()

    class Adapter(Device):
        @property
        def present(self) -> bool:
            return node.exists()

    device = Adapter(time)
    recovering = camera(device, time)
    recovering.open()
    node.unlink()
    device.alive = False
    end = time.now + away_s
    while time.now < end:
        with suppress(DeviceLostError):
            recovering.read(0.2)
    assert recovering.condition.attempts == 0
    node.touch()
    device.alive = True
    assert frames(recovering, 2.0, time) != []
    assert recovering.condition.attempts == 1


def test_a_device_that_left_its_port_has_its_power_cut_and_is_opened_when_it_is_back(
    time: Time, tmp_path: Path
) -> None:
    plug, _ = plugged(tmp_path)
    device = Device(time)
    recovering = camera(device, time, UsbPort("2-1.4", tmp_path, time.sleep))
    recovering.open()
    plug.rmdir()
    device.alive = False
    assert frames(recovering, 12.0, time) == []
    assert [call for _, call in device.calls[1:]] == []
    assert recovering.condition.attempts == 1  # its power
    plug.mkdir()
    device.alive = True
    assert frames(recovering, 2.0, time) != []


@pytest.mark.parametrize("fault", [ValueError("bad  length"), OSError(5, "I/O error"), termios.error(5, "I/O error")])
def test_a_fault_of_the_driver_itself_is_a_loss_and_told_where_it_lies_once(
    time: Time, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    device = Device(time)
    recovering = camera(device, time)
    states: list[str] = []
    recovering.on_change = lambda condition: states.append(condition.state)
    recovering.open()
    device.fault = fault
    assert recovering.read(0.2) is None
    condition = recovering.condition
    assert (condition.state, condition.interruptions) == ("recovering", 1)
    assert condition.error is not None
    assert condition.error.startswith(f"the device: the driver failed: {type(fault).__name__}: ")
    frames(recovering, 44.0, time)
    assert sum(record.exc_info is not None for record in caplog.records) == 1
    with pytest.raises(DeviceLostError, match="the driver failed"):
        frames(recovering, 2.0, time)
    device.fault = None
    frames(recovering, 60.0, time)
    assert states == ["recovering", "lost", "ok"]


def test_a_driver_that_fails_while_it_opens_is_tried_again(time: Time) -> None:
    class Hasty(Device):
        def open(self) -> None:
            super().open()
            if len(self.calls) < 4:
                raise ValueError("not ready")

    recovering = camera(Hasty(time), time)
    recovering.open()
    assert recovering.condition.error == "the device: the driver failed: ValueError: not ready"
    assert frames(recovering, 10.0, time) != []
    assert (recovering.condition.state, recovering.condition.attempts) == ("ok", 2)


def test_a_driver_that_fails_while_it_closes_ends_neither_pictures_nor_cues(
    time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(Lamp):
        def close(self) -> None:
            super().close()
            raise ValueError("no handle")

    device = Stuck(time)
    recovering = camera(device, time)
    recovering.open()
    device.alive = False
    frames(recovering, 1.0, time)
    device.alive = True
    assert frames(recovering, 10.0, time) != []
    recovering.close()

    lamp = Stuck(time)
    lamp.shown = []
    light = RecoveringIndicator(lamp, time)
    light.show(Cue("waiting"))  # not open yet: it is opened anew
    light.close()
    assert lamp.shown == ["waiting"]
    assert {record.getMessage() for record in caplog.records} >= {"the device: cannot be closed"}


def test_a_replay_that_its_driver_cannot_do_is_lost_and_not_begun_anew(time: Time) -> None:
    device = Device(time, synthetic=True)
    recovering = camera(device, time)
    recovering.open()
    device.fault = ValueError("bad length")
    for _ in range(3):
        with pytest.raises(DeviceLostError):
            recovering.read(0.2)
    assert recovering.condition.state == "lost"
    assert len(device.calls) == 1


def test_the_drivers_counters_go_on_over_its_openings(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    device.counters = Counters(lost=3, dropped=1)
    assert recovering.condition.counters == (("lost", 3), ("dropped", 1))
    device.alive = False
    frames(recovering, 1.0, time)
    assert recovering.condition.counters == (("lost", 3), ("dropped", 1))
    device.alive = True
    frames(recovering, 6.0, time)
    assert recovering.condition.counters == (("lost", 3), ("dropped", 1))
    device.counters = Counters(lost=4)
    assert recovering.condition.counters == (("lost", 7), ("dropped", 1))
    recovering.close()
    recovering.close()
    assert recovering.condition.counters == (("lost", 7), ("dropped", 1))


def test_there_are_never_more_than_five_attempts_within_a_minute(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    device.alive = False
    asked_anew = []
    for _ in range(3000):
        try:
            recovering.read(0.2)
        except DeviceLostError:
            recovering.close()
            asked_anew.append(time.now)
            with pytest.raises(DeviceLostError):
                recovering.open()
    attempts = [at for at, call in device.calls[1:] if call == "open" and at not in asked_anew]
    assert len(asked_anew) == 1
    assert len(attempts) > 40
    assert all(later - earlier >= 59.9 for earlier, later in zip(attempts, attempts[5:], strict=False))


def test_a_flapping_device_climbs_the_ladder_too_and_is_held_to_the_same_number_of_attempts(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    for _ in range(5):
        frames(recovering, 5.0, time)
        device.alive = False
        recovering.read(0.2)
        device.alive = True
    frames(recovering, 5.0, time)
    device.alive = False
    frames(recovering, 20.0, time)
    assert "reset" in [call for _, call in device.calls]
    assert recovering.condition.attempts == 5
    device.alive = True
    assert frames(recovering, 30.0, time) != []


def test_a_device_that_says_nothing_is_lost_after_the_silence_and_reading_pauses_do_not_count(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time, silence_s=2.0)
    recovering.open()
    frames(recovering, 1.0, time)
    time.sleep(30.0)  # nobody read
    assert frames(recovering, 1.0, time) != []
    device.mute = True
    assert frames(recovering, 1.8, time) == []
    assert recovering.condition.state == "ok"
    frames(recovering, 0.4, time)
    condition = recovering.condition
    assert condition.state == "recovering"
    assert condition.error == "the device: gave nothing for 2 s"
    device.mute = False
    assert frames(recovering, 1.0, time) != []
    assert recovering.condition.state == "ok"


def test_a_device_that_is_not_there_at_first_is_looked_for(time: Time) -> None:
    device = Device(time)
    device.alive = False
    recovering = camera(device, time)
    recovering.open()
    assert recovering.read(0.2) is None
    device.alive = True
    assert frames(recovering, 2.0, time) != []
    assert recovering.condition.interruptions == 1


def test_who_goes_on_reading_gets_a_device_back_that_was_given_up(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    states: list[str] = []
    recovering.on_change = lambda condition: states.append(condition.state)
    recovering.open()
    device.alive = False
    with pytest.raises(DeviceLostError):
        frames(recovering, 60.0, time)
    device.alive = True
    assert frames(recovering, 70.0, time) != []
    assert states == ["recovering", "lost", "ok"]


def test_a_replay_whose_file_is_missing_is_not_waited_for_and_its_end_is_no_loss(time: Time) -> None:
    device = Device(time, synthetic=True)
    device.alive = False
    recovering = camera(device, time)
    with pytest.raises(DeviceNotFoundError):
        recovering.open()
    device.alive = True
    recovering.open()
    device.ended = True
    with pytest.raises(StreamEndedError):
        recovering.read(0.2)
    assert recovering.condition.interruptions == 0


def test_reading_what_nobody_opened_is_not_recovered(time: Time) -> None:
    recovering = camera(Device(time), time)
    with pytest.raises(DeviceLostError, match="not open"):
        recovering.read(0.2)
    assert recovering.condition.interruptions == 0


class Lamp(Device):
    """An indicator that can be unplugged."""

    shown: list[str]

    def show(self, cue: Cue) -> None:
        if self.fault is not None:
            raise self.fault
        if not (self.alive and self.open_):
            raise DeviceLostError("the lamp: gone")
        self.shown.append(cue.kind)


def test_an_indicator_never_stops_a_session_and_shows_again_when_it_is_back(time: Time) -> None:
    lamp = Lamp(time)
    lamp.shown = []
    recovering = RecoveringIndicator(lamp, time)
    states: list[str] = []
    recovering.on_change = lambda condition: states.append(condition.state)
    lamp.alive = False
    recovering.open()
    for _ in range(20):
        recovering.show(Cue("waiting"))
    assert len(lamp.calls) == 1 + 5
    time.sleep(60.0)
    lamp.alive = True
    recovering.show(Cue("done"))
    assert lamp.shown == ["done"]
    assert states == ["lost", "ok"]
    assert recovering.condition.attempts == 6
    lamp.open_ = False
    recovering.show(Cue("waiting"))
    assert lamp.shown == ["done", "waiting"]
    assert states == ["lost", "ok"]


def test_a_fault_of_an_indicators_driver_is_a_loss_too_and_told_once(
    time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    lamp = Lamp(time)
    lamp.shown = []
    recovering = RecoveringIndicator(lamp, time)
    recovering.open()
    lamp.fault = ValueError("no such colour")
    recovering.show(Cue("waiting"))
    condition = recovering.condition
    assert (condition.state, condition.interruptions) == ("lost", 1)
    assert condition.error == "the device: the driver failed: ValueError: no such colour"
    logged = len(caplog.records)
    recovering.show(Cue("waiting"))
    assert len(caplog.records) == logged > 0
    lamp.fault = None
    recovering.show(Cue("done"))
    assert (lamp.shown, recovering.condition.state) == (["done"], "ok")
