"""Several indicators as one, and the mock that is strict with its caller."""

import pytest

from hal.errors import DeviceLostError, DeviceNotFoundError, DriverOptionError, MisuseError
from hal.indicator.mock import MockIndicator
from hal.recovering_indicator import RecoveringIndicator
from hal.registry import build_indicator
from hal.types import Cue

READY = Cue("ready", "squat", "both", 3)


class Clock:
    now = 5.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def mock(clock):
    return MockIndicator(MockIndicator.Options(), clock)


def test_the_mock_keeps_every_state_with_its_time(mock, clock):
    mock.open()
    clock.now += 1.5
    mock.show(READY)
    clock.now += 2.0
    mock.show(Cue("waiting"))
    assert [(state.at_s, state.cue) for state in mock.states] == [(1.5, READY), (3.5, Cue("waiting"))]
    mock.close()
    assert len(mock.states) == 2
    mock.open()
    assert mock.states == []


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        (Cue("dancing"), "no cue 'dancing'"),
        (Cue("ready"), "needs exercise"),
        (Cue("recording", "squat", "", 3), "needs exercise, side"),
        (Cue("done", "squat", "both", 0), "repetitions"),
        (Cue("waiting", "squat", "both", 3), "about no exercise"),
    ],
)
def test_the_mock_refuses_cues_that_no_real_one_could_follow(mock, cue, said):
    mock.open()
    with pytest.raises(MisuseError, match=said):
        mock.show(cue)
    assert mock.states == []


def test_the_mock_takes_a_guided_step_which_is_no_exercise(mock):
    mock.open()
    mock.show(Cue("ready", detail={"step": "raise your left arm"}))
    with pytest.raises(MisuseError, match="needs exercise"):
        mock.show(Cue("ready"))
    assert len(mock.states) == 1


def test_the_mock_refuses_showing_before_open_and_opening_twice(mock):
    with pytest.raises(MisuseError, match="before open"):
        mock.show(READY)
    mock.open()
    with pytest.raises(MisuseError, match="opened twice"):
        mock.open()
    mock.close()
    mock.close()
    with pytest.raises(MisuseError, match="before open"):
        mock.show(READY)


def combined(*parts):
    return build_indicator({"driver": "combined", "parts": list(parts)})


def test_every_part_shows_every_cue():
    driver = combined({"driver": "mock"}, {"driver": "silent"}, {"driver": "mock"})
    driver.open()
    driver.show(READY)
    mocks = [part for part in driver._parts if isinstance(part, MockIndicator)]
    assert [[state.cue for state in mock.states] for mock in mocks] == [[READY], [READY]]
    assert driver.info.name == "mock mock indicator + silent no indicator + mock mock indicator"
    driver.close()
    with pytest.raises(DeviceLostError, match="not open"):
        driver.show(READY)


def test_a_part_that_is_not_there_is_named_and_the_others_go_on(tmp_path):
    driver = combined({"driver": "led", "name": "lamp", "root": str(tmp_path)}, {"driver": "mock"})
    driver.open()
    with pytest.raises(DeviceLostError, match="lamp"):
        driver.show(READY)
    assert [state.cue for state in driver._parts[1].states] == [READY]
    driver.close()
    alone = combined({"driver": "led", "name": "lamp", "root": str(tmp_path)})
    with pytest.raises(DeviceNotFoundError, match="lamp"):
        alone.open()


def test_a_part_that_is_away_does_not_interrupt_the_others_and_is_looked_for_with_each_cue(tmp_path):
    """A light that is broken does not cut off the voice's words, nor a loudspeaker the light."""
    driver = combined({"driver": "led", "name": "lamp", "root": str(tmp_path)}, {"driver": "mock"})
    indicator = RecoveringIndicator(driver)
    indicator.open()
    for cue in (READY, Cue("waiting")):
        indicator.show(cue)
    assert "lamp" in indicator.condition.error
    assert [state.cue for state in driver._parts[1].states] == [READY, Cue("waiting")]
    (tmp_path / "lamp").mkdir()
    for name, text in (("max_brightness", "1"), ("trigger", "[none]"), ("brightness", "0")):
        (tmp_path / "lamp" / name).write_text(text)
    indicator.show(READY)
    assert indicator.condition.error is None
    assert [state.cue for state in driver._parts[1].states] == [READY, Cue("waiting"), READY]
    indicator.close()


@pytest.mark.parametrize(
    ("parts", "said"),
    [([], "parts"), ([{"driver": "flute"}], "flute"), ([{"driver": "mock", "loud": 1}], "loud"), ([{}], "''")],
)
def test_wrong_parts_are_refused_before_anything_runs(parts, said):
    with pytest.raises(DriverOptionError, match=said):
        combined(*parts)
