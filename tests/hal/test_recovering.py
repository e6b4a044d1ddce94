"""The recovery ladder: what is tried when, how often, and what a reader sees of it. Time is the test's own."""

from __future__ import annotations

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
        self.present, self.silent, self.ended = True, False, False
        self.open_ = False
        self.calls: list[tuple[float, str]] = []
        self.counters = Counters()

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("test", "the device", 1 / PERIOD_S, synthetic=self.synthetic)

    def open(self) -> None:
        self.calls.append((self.time.now, "open"))
        if not self.present:
            raise DeviceNotFoundError("the device: not found")
        self.open_, self.index, self.opened = True, 0, self.time.now

    def close(self) -> None:
        self.open_ = False

    def reset(self) -> None:
        assert not self.open_
        self.calls.append((self.time.now, "reset"))

    def read(self, timeout_s: float) -> Any:
        if not self.open_:
            raise DeviceLostError("the device: not open")
        if self.ended:
            raise StreamEndedError("over")
        if not self.present:
            raise DeviceLostError("the device: stopped answering")
        if self.silent:
            self.time.sleep(timeout_s)
            return None
        self.time.now = max(self.time.now, self.opened + PERIOD_S * self.index)
        self.index += 1
        return self.made()

    def made(self) -> Any:
        return Frame(self.index, round((self.time.now - self.opened) * 1e9) + 7, round(self.time.now * 1e9))


class Sensors(Device):
    """Two sensors at 10 Hz, each with a clock of its own."""

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
    device.present = False
    assert frames(recovering, 1.0, time) == []
    assert recovering.condition.state == "recovering"
    device.present = True
    got += frames(recovering, 3.0, time)
    stamps = np.array([frame.stamp_ns for frame in got]) / 1e9
    arrivals = np.array([frame.arrival_ns for frame in got]) / 1e9
    assert (np.diff(stamps) > 0).all()
    assert np.ptp(arrivals - stamps) < 0.01
    gap = max(after - before for before, after in pairwise(stamps))
    assert 1.0 < gap < 2.0
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
    for present, reads in ((True, 10), (False, 5), (True, 30)):
        device.present = present
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


def test_the_ladder_climbs_from_reopening_to_power_with_growing_pauses_and_then_gives_up(
    time: Time, tmp_path: Path
) -> None:
    switch = tmp_path / "2-1:1.0" / "2-1-port4" / "disable"
    switch.parent.mkdir(parents=True)
    switch.write_text("0")
    device = Device(time)

    def off(seconds: float) -> None:
        device.calls.append((time.now, f"power {switch.read_text()}"))
        time.sleep(seconds)

    recovering = camera(device, time, UsbPort("2-1.4", tmp_path, off))
    seen: list[str] = []
    recovering.on_change = lambda condition: seen.append(condition.state)
    recovering.open()
    device.present = False
    lost_at = time.now
    with pytest.raises(DeviceLostError, match="not found"):
        frames(recovering, 60.0, time)
    assert [call for _, call in device.calls[1:]] == ["open", "open", "reset", "open", "power 1", "open", "open"]
    opens = [at - lost_at for at, call in device.calls[1:] if call == "open"]
    assert opens == pytest.approx([0.0, 0.5, 1.5, 4.5, 8.5])
    assert switch.read_text() == "0"
    assert seen == ["recovering", "lost"]
    condition = recovering.condition
    assert (condition.state, condition.attempts, condition.interruptions) == ("lost", 5, 1)


def test_there_are_never_more_than_five_attempts_within_a_minute(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    device.present = False
    for _ in range(3000):
        try:
            recovering.read(0.2)
        except DeviceLostError:
            recovering.close()
            with pytest.raises(DeviceLostError):
                recovering.open()
    attempts = [at for at, call in device.calls[1:] if call == "open"]
    assert len(attempts) > 20
    tried = [at for at in attempts if at > attempts[0]]
    assert all(later - earlier > 50.0 for earlier, later in zip(tried, tried[5:], strict=False))


def test_a_flapping_device_climbs_the_ladder_too(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    recovering.open()
    for _ in range(5):
        frames(recovering, 5.0, time)
        device.present = False
        recovering.read(0.2)
        device.present = True
    frames(recovering, 5.0, time)
    device.present = False
    with pytest.raises(DeviceLostError):
        recovering.read(0.2)
    assert "reset" in [call for _, call in device.calls]
    assert recovering.condition.attempts == 5


def test_a_device_that_says_nothing_is_lost_after_the_silence_and_reading_pauses_do_not_count(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time, silence_s=2.0)
    recovering.open()
    frames(recovering, 1.0, time)
    time.sleep(30.0)  # nobody read
    assert frames(recovering, 1.0, time) != []
    device.silent = True
    assert frames(recovering, 1.8, time) == []
    assert recovering.condition.state == "ok"
    frames(recovering, 0.4, time)
    condition = recovering.condition
    assert condition.state == "recovering"
    assert condition.error == "the device: gave nothing for 2 s"
    device.silent = False
    assert frames(recovering, 1.0, time) != []
    assert recovering.condition.state == "ok"


def test_a_device_that_is_not_there_at_first_is_looked_for(time: Time) -> None:
    device = Device(time)
    device.present = False
    recovering = camera(device, time)
    recovering.open()
    assert recovering.read(0.2) is None
    device.present = True
    assert frames(recovering, 2.0, time) != []
    assert recovering.condition.interruptions == 1


def test_who_goes_on_reading_gets_a_device_back_that_was_given_up(time: Time) -> None:
    device = Device(time)
    recovering = camera(device, time)
    states: list[str] = []
    recovering.on_change = lambda condition: states.append(condition.state)
    recovering.open()
    device.present = False
    with pytest.raises(DeviceLostError):
        frames(recovering, 60.0, time)
    device.present = True
    assert frames(recovering, 70.0, time) != []
    assert states == ["recovering", "lost", "ok"]


def test_a_replay_whose_file_is_missing_is_not_waited_for_and_its_end_is_no_loss(time: Time) -> None:
    device = Device(time, synthetic=True)
    device.present = False
    recovering = camera(device, time)
    with pytest.raises(DeviceNotFoundError):
        recovering.open()
    device.present = True
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
        if not (self.present and self.open_):
            raise DeviceLostError("the lamp: gone")
        self.shown.append(cue.kind)


def test_an_indicator_never_stops_a_session_and_shows_again_when_it_is_back(time: Time) -> None:
    lamp = Lamp(time)
    lamp.shown = []
    recovering = RecoveringIndicator(lamp, time)
    states: list[str] = []
    recovering.on_change = lambda condition: states.append(condition.state)
    lamp.present = False
    recovering.open()
    for _ in range(20):
        recovering.show(Cue("waiting"))
    assert len(lamp.calls) == 1 + 5
    time.sleep(60.0)
    lamp.present = True
    recovering.show(Cue("done"))
    assert lamp.shown == ["done"]
    assert states == ["lost", "ok"]
    assert recovering.condition.attempts == 6
    lamp.open_ = False
    recovering.show(Cue("waiting"))
    assert lamp.shown == ["done", "waiting"]
    assert states == ["lost", "ok"]
