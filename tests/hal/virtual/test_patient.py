"""The virtual patient is one person: the same for the same seed, no repetition twice, never in two places."""

import numpy as np
import pytest

from hal.errors import HalError
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import INSTRUCTOR, VirtualPatient, reference

TIMES = np.arange(0.0, 12.0, 0.05)


def squatting(seed=0, **options):
    patient = VirtualPatient(seed, **options)
    patient.perform("squat", "both", 3, at_s=0.0)
    return patient


def test_the_same_seed_is_the_same_person():
    np.testing.assert_array_equal(squatting(4).joints(TIMES), squatting(4).joints(TIMES))
    assert np.abs(squatting(4).joints(TIMES) - squatting(5).joints(TIMES)).max() > 0.02


def test_positions_do_not_depend_on_who_else_asks_or_in_what_pieces():
    patient = squatting()
    whole = patient.joints(TIMES)
    pieces = [patient.joints(TIMES[i : i + 1]) for i in reversed(range(len(TIMES)))][::-1]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-12)


def test_an_instructor_repeats_exactly_and_a_patient_does_not():
    def repetition(patient, end):
        period = (end - 1.0 + 0.9) / 2
        times = np.arange(1.0, 1.0 + period - 0.9, 0.05)
        return patient.joints(times) - patient.joints(times + period)

    instructor = VirtualPatient(0, 1.7, INSTRUCTOR)
    assert np.abs(repetition(instructor, instructor.perform("squat", "both", 2, 0.0))).max() < 1e-9
    patient = VirtualPatient(0, 1.7)
    assert np.abs(repetition(patient, patient.perform("squat", "both", 2, 0.0))).max() > 0.02


def test_stature_is_the_persons():
    standing = VirtualPatient(0, 1.60, INSTRUCTOR).joints(np.zeros(1))[0]
    taller = VirtualPatient(0, 1.92, INSTRUCTOR).joints(np.zeros(1))[0]
    np.testing.assert_allclose(taller, standing * 1.2, atol=1e-9)
    assert 1.4 < standing[4, 1] < 1.6


def test_tempo_and_amplitude_of_a_set_can_be_asked_for():
    usual, quick, small = (VirtualPatient(0, 1.7, INSTRUCTOR) for _ in range(3))
    end = usual.perform("squat", "both", 1, 0.0)
    assert quick.perform("squat", "both", 1, 0.0, tempo=2.0) - 1.0 == pytest.approx((end - 1.0) / 2)
    small.perform("squat", "both", 1, 0.0, amplitude=0.5)
    depth = [np.ptp(patient.joints(TIMES)[:, 0, 1]) for patient in (usual, small)]
    assert 0.2 < depth[1] / depth[0] < 0.6


def test_nothing_jumps_when_the_patient_is_told_something_else():
    patient = VirtualPatient(2)
    patient.rest("marching", "left", at_s=1.0)
    patient.perform("marching", "left", 5, at_s=2.0)
    patient.rest("marching", "left", at_s=5.3, settle_s=1.0)
    patient.rest("supine_bridge", "both", at_s=6.0)
    patient.perform("supine_bridge", "both", 2, at_s=6.5, lead_in_s=1.2)
    times = np.arange(0.0, 12.0, 0.01)
    positions = patient.joints(times)
    assert np.linalg.norm(np.diff(positions, axis=0), axis=2).max() < 0.05
    assert np.abs(np.diff(positions, 3, axis=0)).max() < 0.002
    lengths = np.linalg.norm(positions[:, 12] - positions[:, 13], axis=1)
    assert np.ptp(lengths) < 1e-9
    assert positions[-1, 4, 1] < 0.3


def test_a_set_may_begin_at_once():
    patient = VirtualPatient(0)
    patient.perform("squat", "both", 1, at_s=0.0, lead_in_s=0.0)
    assert np.isfinite(patient.joints(np.array([0.0, 0.01, 1.0]))).all()


def test_who_stands_sways_a_little_and_who_lies_does_not():
    upright = VirtualPatient(1).joints(np.arange(0.0, 20.0, 0.1))
    assert 0.002 < np.ptp(upright[:, 4], axis=0).max() < 0.1
    lying = VirtualPatient(1)
    lying.rest("supine_bridge", "both", at_s=-10.0)
    assert np.ptp(lying.joints(np.arange(0.0, 20.0, 0.1))[:, 4], axis=0).max() < 1e-9


def test_a_reference_is_an_instructors_recording_with_rest_on_both_ends():
    times, positions = reference("heel_raise", repetitions=4, rate_hz=50.0)
    assert positions.shape == (len(times), 17, 3)
    np.testing.assert_allclose(np.diff(times), 0.02)
    movement = MOVEMENTS["heel_raise"]
    each = movement.out_s + movement.hold_s + movement.back_s
    assert times[-1] == pytest.approx(1.0 + 4 * each + 3 * 0.9 + 1.0, abs=0.021)


@pytest.mark.parametrize(("exercise", "side"), [("juggling", "both"), ("squat", "left"), ("marching", "both")])
def test_what_the_patient_cannot_do_is_refused_by_name(exercise, side):
    with pytest.raises(HalError, match=exercise):
        VirtualPatient().perform(exercise, side, 3, at_s=0.0)
