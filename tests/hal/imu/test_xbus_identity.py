"""Which sensor is which: by its own number where that is known, else by its place on the bus."""

import logging

import pytest

from hal.errors import DeviceNotFoundError
from hal.imu.xbus_identity import Identities


def known(pinned=None, first=None, sensors=(1, 2, 3)):
    identities = Identities("/dev/imu", sensors, pinned or {})
    if first:
        identities.places(first)
    return identities


def test_at_first_a_sensor_stands_for_the_identifier_it_answers_to():
    assert known().places({1: "A", 2: "B", 3: "C"}) == {1: 1, 2: 2, 3: 3}


def test_sensors_that_the_settings_do_not_speak_of_are_left_out():
    assert known(sensors=(2,)).places({1: "A", 2: "B"}) == {2: 2}


@pytest.mark.parametrize(
    ("found", "places"),
    [
        ({1: "B", 2: "C"}, {1: 2, 2: 3}),  # the first is dead
        ({1: "A", 2: "C"}, {1: 1, 2: 3}),  # the second
        ({1: "C", 2: "A", 3: "B"}, {1: 3, 2: 1, 3: 2}),  # another order on the cable
    ],
)
@pytest.mark.parametrize("how", ["named in the settings", "heard before"])
def test_a_sensor_whose_number_is_known_keeps_its_place(found, places, how):
    everything = {1: "A", 2: "B", 3: "C"}
    identities = known(pinned=everything) if how == "named in the settings" else known(first=everything)
    assert identities.places(found) == places
    assert identities.places(everything) == {1: 1, 2: 2, 3: 3}


def test_a_new_sensor_takes_the_place_of_one_that_is_gone_and_it_is_told(caplog):
    identities = known(first={1: "A", 2: "B", 3: "C"})
    assert identities.places({1: "A", 2: "D", 3: "C"}) == {1: 1, 2: 2, 3: 3}
    assert "sensor 2 was B and is D now" in caplog.text
    assert identities.places({1: "D", 2: "C"}) == {1: 2, 2: 3}


def test_a_stranger_is_refused_where_the_settings_name_another_and_where_the_other_only_moved():
    with pytest.raises(DeviceNotFoundError, match=r"/dev/imu: sensor 2 is D, a stranger in the place of B"):
        known(pinned={2: "B"}).places({1: "A", 2: "D"})
    with pytest.raises(DeviceNotFoundError, match="sensor 1 is D, a stranger in the place of A"):
        known(first={1: "A", 2: "B"}).places({1: "D", 2: "A", 3: "B"})


def test_a_refusal_changes_nothing_that_is_known():
    identities = known(pinned={1: "A", 2: "B"})
    with pytest.raises(DeviceNotFoundError):
        identities.places({1: "D", 2: "B"})
    assert identities.places({1: "B"}) == {1: 2}


def test_missing_sensors_of_unknown_numbers_may_be_any_and_that_is_said(caplog):
    assert known().places({1: "B", 2: "C"}) == {1: 1, 2: 2}
    assert "2 of 3 sensors answer, and nothing tells which are missing" in caplog.text


def test_the_numbers_are_logged_for_whoever_writes_the_settings(caplog):
    caplog.set_level(logging.INFO)
    identities = known(first={1: "A", 2: "B"})
    assert "the sensors' own numbers: 1 = A, 2 = B" in caplog.text
    caplog.clear()
    identities.places({1: "A", 2: "B"})
    assert not caplog.text
