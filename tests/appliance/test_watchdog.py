"""What the supervisor is told while parts of the box work, rest and hang."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.watchdog import PERIODS, Watchdog

WAIT_S = 10.0


class Supervisor:
    """systemd's end of the socket; `REPEATED` looks, so that what is asserted was not luck."""

    def __init__(self, file: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(file))
        self._socket.settimeout(WAIT_S)
        self.environment = {"WATCHDOG_USEC": "20000"}

    def tell(self, state: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), self._socket.getsockname())

    def told(self) -> str:
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path / "notify")
    yield one
    one.close()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watchdog(clock: Clock) -> Iterator[Watchdog]:
    one = Watchdog(clock)
    yield one
    one.stop()


PATIENCE_S = PERIODS * 0.02


def test_it_is_fed_while_every_part_makes_progress(watchdog: Watchdog, supervisor: Supervisor, clock: Clock) -> None:
    with watchdog.watched("camera") as camera, watchdog.watched("session") as session:
        watchdog.start(supervisor.environment, supervisor.tell)
        for _ in range(5):
            clock.now_s += PATIENCE_S / 2
            camera()
            session()
            assert supervisor.told() == "WATCHDOG=1"


def test_a_part_that_hangs_is_named_and_the_supervisor_acts_at_once(
    watchdog: Watchdog, supervisor: Supervisor, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hung = threading.Event()

    def hang() -> None:
        with watchdog.watched("camera"):
            hung.wait(WAIT_S)

    thread = threading.Thread(target=hang)
    thread.start()
    with watchdog.watched("session") as session:
        watchdog.start(supervisor.environment, supervisor.tell)
        assert supervisor.told() == "WATCHDOG=1"
        clock.now_s += PATIENCE_S * 1.5
        session()
        while (told := supervisor.told()) == "WATCHDOG=1":
            pass
    hung.set()
    thread.join()
    assert told == "WATCHDOG=trigger"
    said = [record.message for record in caplog.records if record.levelname == "CRITICAL"]
    assert len(said) == 1
    assert "no progress in camera (in " in said[0]
    assert "hang" in said[0]
    assert "session" not in said[0].replace(__file__, "")


def test_a_part_may_rest_as_long_as_it_said(watchdog: Watchdog, supervisor: Supervisor, clock: Clock) -> None:
    with watchdog.watched("health") as health:
        watchdog.start(supervisor.environment, supervisor.tell)
        health(60.0)
        clock.now_s += 60.0
        assert {supervisor.told() for _ in range(4)} == {"WATCHDOG=1"}
        clock.now_s += PATIENCE_S * 1.5
        while (told := supervisor.told()) == "WATCHDOG=1":
            pass
        assert told == "WATCHDOG=trigger"


def test_a_part_that_is_over_is_not_waited_for(watchdog: Watchdog, supervisor: Supervisor, clock: Clock) -> None:
    with watchdog.watched("imu"):
        pass
    watchdog.start(supervisor.environment, supervisor.tell)
    clock.now_s += 1000.0
    assert {supervisor.told() for _ in range(4)} == {"WATCHDOG=1"}


def test_without_a_supervisor_nothing_is_watched(watchdog: Watchdog) -> None:
    before = threading.active_count()
    watchdog.start({})
    watchdog.start({"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    assert threading.active_count() == before
