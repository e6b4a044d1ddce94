"""What leads the patient and watches over them, on the virtual patient's own movements: no device, no clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.exercises import exercise_by_id
from appliance.gestures import RaisedHands, usable_hands
from appliance.guidance_settings import GuidanceSettings
from appliance.messages.motion_limits import LIMITS, checked_limits
from appliance.pacing import Metronome, beats_of
from appliance.placing import Placing
from appliance.safety import FallWatch, LimitWatch, angles_by_limit
from appliance.segmentation.repetitions import find_repetitions
from appliance.set_guide import SetGuide, lowest
from appliance.skeleton.standard import INDEX, JOINTS, Recording, recording_of
from appliance.track import Skeleton
from hal.virtual.patient import VirtualPatient, reference

RATE_HZ = 30.0
FROM_CAMERA = np.array([0.0, -1.0, -2.5])


def instructed(exercise: str, side: str, repetitions: int = 2) -> Recording:
    return recording_of(*reference(exercise, side, repetitions))


def seen(patient: VirtualPatient, seconds: float, from_s: float = 0.0) -> list[tuple[float, Skeleton]]:
    """What a camera at 2.5 m sees of them, with the noise of one."""
    times = from_s + np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    positions = patient.joints(times) + FROM_CAMERA
    positions += np.random.default_rng(3).normal(0.0, 0.01, positions.shape)
    return [
        (time, Skeleton(index, round(time * 1e9), 0, positions[index], np.ones(17)))
        for index, time in enumerate(times.tolist())
    ]


def patient(exercise: str, side: str) -> VirtualPatient:
    one = VirtualPatient(5)
    one.rest(exercise, side, -10.0)
    return one


@pytest.mark.parametrize("hands", ["left", "right", "both"])
def test_a_hand_above_the_head_for_a_second_is_a_sign_and_is_told_once(hands):
    one = patient("squat", "both")
    one.raise_hands(hands, at_s=1.0, for_s=2.5)
    watch = RaisedHands()
    told = [(time, sign) for time, frame in seen(one, 6.0) if (sign := watch.update(frame, time)) is not None]
    assert [sign for _, sign in told] == [hands]
    assert 2.0 < told[0][0] < 3.0


def test_a_hand_that_is_still_up_answers_nothing_more_until_it_is_lowered_and_another_one_does():
    one = patient("squat", "both")
    one.raise_hands("left", at_s=0.0, for_s=6.0)
    one.raise_hands("left", at_s=9.0, for_s=2.5)
    frames = seen(one, 13.0)
    before, asked = RaisedHands(), RaisedHands(lowered_first=True)
    assert [round(time) for time, frame in frames if before.update(frame, time)] == [1, 10]
    told = [round(time) for time, frame in frames if time > 2 and asked.update(frame, time)]
    assert told == [10]
    both = patient("squat", "both")
    both.raise_hands("left", at_s=0.0, for_s=3.0)
    both.raise_hands("both", at_s=3.0, for_s=3.0)
    watch = RaisedHands()
    assert [sign for time, frame in seen(both, 8.0) if (sign := watch.update(frame, time))] == ["left", "both"]


def test_scratching_ones_head_is_no_sign():
    one = patient("squat", "both")
    one.raise_hands("left", at_s=1.0, for_s=0.7)
    watch = RaisedHands()
    assert all(watch.update(frame, time) is None for time, frame in seen(one, 4.0))


def test_a_hand_that_the_exercise_raises_is_no_sign_and_the_other_is():
    assert usable_hands(instructed("squat", "both")) == ("left", "right")
    assert usable_hands(instructed("seated_shoulder_flexion", "left")) == ("right",)
    doing = patient("seated_shoulder_flexion", "left")
    doing.perform("seated_shoulder_flexion", "left", 2, 0.0)
    watch = RaisedHands(usable_hands(instructed("seated_shoulder_flexion", "left")))
    assert all(watch.update(frame, time) is None for time, frame in seen(doing, 10.0))


EXERCISES = [
    ("squat", "both"), ("sit_to_stand", "both"), ("seated_trunk_forward_lean", "both"),
    ("shoulder_abduction", "left"), ("marching", "right"), ("heel_raise", "both"), ("supine_bridge", "both"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "side"), EXERCISES)
def test_no_exercise_as_it_is_done_is_a_fall_or_a_wish_to_stop(exercise, side):
    doing = patient(exercise, side)
    end_s = doing.perform(exercise, side, 2, 0.0, amplitude=1.1)
    taught, position = instructed(exercise, side), exercise_by_id(exercise).position
    fall, hands = FallWatch(taught, position), RaisedHands(usable_hands(taught))
    for time, frame in seen(doing, end_s + 1.0):
        assert not fall.update(frame, time)
        assert hands.update(frame, time) is None


@pytest.mark.parametrize(("exercise", "side"), [e for e in EXERCISES if not e[0].startswith("supine")])
def test_a_fall_is_told_two_seconds_after_it_in_every_exercise(exercise, side):
    falling = patient(exercise, side)
    falling.rest("supine_heel_slide", "left", 2.0, 0.6)
    watch = FallWatch(instructed(exercise, side), exercise_by_id(exercise).position)
    told = [time for time, frame in seen(falling, 6.0) if watch.update(frame, time)]
    assert 4.0 < told[0] < 5.0


def test_who_is_up_again_has_stumbled_and_who_lies_down_slowly_has_not_fallen():
    up_again, slow = patient("squat", "both"), patient("squat", "both")
    up_again.rest("supine_heel_slide", "left", 2.0, 0.6)
    up_again.rest("squat", "both", 3.2, 0.8)
    slow.rest("supine_heel_slide", "left", 1.0, 6.0)
    for one in (up_again, slow):
        watch = FallWatch(instructed("squat", "both"), "standing")
        assert not any(watch.update(frame, time) for time, frame in seen(one, 9.0))


@pytest.mark.parametrize("stalled_s", [1.0, 20.0])
def test_who_is_lower_after_the_camera_stalled_has_not_fallen(stalled_s):
    frames = seen(patient("squat", "both"), 6.0)
    lowered = [(time, moved_down(frame, 1.0) if time > 2.0 else frame) for time, frame in frames]
    watch = FallWatch(instructed("squat", "both"), "standing")
    assert not any(watch.update(frame, time + (stalled_s if time > 2.0 else 0.0)) for time, frame in lowered)
    watch = FallWatch(instructed("squat", "both"), "standing")
    assert any(watch.update(frame, time) for time, frame in lowered)


def moved_down(frame: Skeleton, metres: float) -> Skeleton:
    """Head and pelvis and all that is between, as of who sinks to the knees."""
    return replace(frame, positions=frame.positions - np.array([0.0, metres, 0.0]))


def test_a_wrong_first_frame_is_no_height_to_fall_from():
    frames = seen(patient("squat", "both"), 5.0)
    lifted = frames[0][1].positions + np.array([0.0, 0.7, 0.0])
    frames[0] = (frames[0][0], Skeleton(0, 0, 0, lifted, np.ones(17)))
    watch = FallWatch(instructed("squat", "both"), "standing")
    assert not any(watch.update(frame, time) for time, frame in frames)


def test_a_joint_beyond_its_limit_is_told_with_angle_and_limit_and_one_within_is_not():
    doing = patient("squat", "both")
    doing.perform("squat", "both", 1, 0.0)
    frames = seen(doing, 6.0)
    deepest = max(angles_by_limit(frame.positions)["left_knee_max_deg"] for _, frame in frames)
    strict, lax = LimitWatch({"left_knee_max_deg": deepest - 15}), LimitWatch({"left_knee_max_deg": deepest + 5})
    told = [what for time, frame in frames if (what := strict.update(frame, time))]
    assert told[0].startswith("left knee: ")
    assert f"at most {deepest - 15:g} deg" in told[0]
    assert not any(lax.update(frame, time) for time, frame in frames)


def test_angles_of_known_postures_are_those_of_the_posture():
    lifted = patient("shoulder_abduction", "left")
    lifted.raise_hands("left", 0.0, 10.0)
    upright = angles_by_limit(lifted.joints(np.array([-1.0]))[0])
    raised = angles_by_limit(lifted.joints(np.array([5.0]))[0])
    assert set(upright) == set(LIMITS)
    assert upright["left_shoulder_max_deg"] < 25
    assert raised["left_shoulder_max_deg"] > 150
    assert abs(upright["trunk_forward_max_deg"]) < 12
    assert upright["left_knee_max_deg"] < 15
    seated = angles_by_limit(patient("seated_knee_extension", "left").joints(np.array([0.0]))[0])
    assert seated["right_knee_max_deg"] == pytest.approx(88, abs=10)
    assert seated["right_hip_max_deg"] == pytest.approx(86, abs=15)


def test_an_unknown_limit_is_refused_with_those_there_are_and_the_strictest_holds():
    with pytest.raises(ValueError, match=r"no limit 'knee'; there are left_elbow_max_deg, "):
        checked_limits({"knee": 90.0})
    with pytest.raises(ValueError, match="at most 180"):
        checked_limits({"left_knee_max_deg": 200.0})
    assert lowest({"left_knee_max_deg": 90.0}, {"left_knee_max_deg": 70.0, "left_hip_max_deg": 80.0}) == {
        "left_knee_max_deg": 70.0,
        "left_hip_max_deg": 80.0,
    }


def test_the_beats_are_where_the_instructors_repetitions_start_turn_and_end():
    taught = instructed("squat", "both", 3)
    found = find_repetitions(taught, JOINTS)
    beats = beats_of(taught, JOINTS, 5)
    assert [kind for _, kind in beats] == ["beat_start", "beat_turn", "beat_end"] * 5
    starts = [at for at, kind in beats if kind == "beat_start"]
    assert np.diff(starts)[0] == pytest.approx(found[1].start_s - found[0].start_s, abs=0.1)
    assert beats[1][0] - beats[0][0] == pytest.approx(found[0].reverse_s - found[0].start_s)
    metronome = Metronome(beats)
    heard = [(time, kind) for time in np.arange(0, 40, 1 / RATE_HZ) if (kind := metronome.update(time, False))]
    assert [kind for _, kind in heard] == [kind for _, kind in beats]
    assert max(abs(time - at) for (time, _), (at, _) in zip(heard, beats, strict=True)) < 0.04


def test_in_a_pause_no_beat_is_due_and_after_it_they_go_on():
    metronome = Metronome([(1.0, "beat_start"), (2.0, "beat_turn")])
    heard = [
        round(float(time), 1)
        for time in np.arange(0, 9, 0.1)
        if metronome.update(float(time), paused=1.45 < time < 5.45) and time >= 0
    ]
    assert heard[0] == pytest.approx(1.0, abs=0.11)
    assert heard[1] == pytest.approx(6.0, abs=0.21)


def test_a_camera_that_stalls_takes_no_beats_away():
    metronome = Metronome([(float(at), "beat_start") for at in range(1, 5)])
    times = [*np.arange(0.0, 1.5, 0.1), *np.arange(16.5, 21.0, 0.1)]
    assert sum(metronome.update(float(time), False) is not None for time in times) == 4


def led(frames: list[tuple[float, Skeleton]], **changes: float) -> list[str]:
    """What is told until the set may begin, with its second."""
    settings = {"every_s": 4.0, "patience_s": 30.0, "countdown_s": 3.0} | changes
    placing = Placing(JOINTS, "standing", **settings)
    told = []
    for time, frame in frames:
        if (cue := placing.update(frame, time)) is not None:
            told.append(f"{time:.0f} {' '.join(cue)}")
        if placing.ready:
            return [*told, f"{time:.0f} go"]
    return told


def moved(frame: Skeleton, metres: float) -> Skeleton:
    away = np.array([0.0, 0.0, metres])
    return Skeleton(frame.index, frame.stamp_ns, 0, frame.positions + away, frame.confidence)


def test_who_stands_right_is_counted_in_at_once():
    assert led(seen(patient("squat", "both"), 9.0)) == ["1 countdown 3", "2 countdown 2", "3 countdown 1", "4 go"]


def test_who_stands_wrong_hears_what_to_do_every_few_seconds_and_not_more_often():
    frames = seen(patient("squat", "both"), 24.0)
    turned = [INDEX[name.replace("left", "#").replace("right", "left").replace("#", "right")] for name in JOINTS]

    def at(time: float, frame: Skeleton) -> Skeleton:
        if time < 3:
            return frame.unseen("no_person")
        if time < 8:
            return moved(frame, 1.8)
        if time < 12:
            return moved(frame, -3.0)
        if time < 16:
            return Skeleton(frame.index, frame.stamp_ns, 0, frame.positions[turned], frame.confidence)
        return frame

    assert led([(time, at(time, frame)) for time, frame in frames]) == [
        "1 place nobody", "5 place too_near", "9 place too_far", "13 place turned",
        "17 countdown 3", "18 countdown 2", "19 countdown 1", "20 go",
    ]  # fmt: skip


def test_whose_legs_a_table_hides_begins_after_a_while_all_the_same():
    frames = seen(patient("squat", "both"), 30.0)
    for _, frame in frames:
        frame.confidence[[INDEX[name] for name in JOINTS if "hip" in name or "knee" in name or "ankle" in name]] = 0
    told = led(frames, patience_s=10.0)
    assert told[:3] == ["1 place partly", "5 place partly", "9 place partly"]
    assert told[-1].endswith("go")


def guided(told: list[str], presses: list[int], **changes: float) -> SetGuide:
    return SetGuide(
        GuidanceSettings(answer_s=2.0),
        exercise_by_id("squat"),
        lambda kind, hint: told.append(f"{kind} {hint}".strip()),
        lambda: presses.pop() if presses else 0,
        instructed("squat", "both"),
        **changes,
    )


def test_a_button_stops_before_the_set_and_in_it_pictures_or_none_and_answers_when_it_is_asked():
    presses: list[int] = []
    told: list[str] = []
    guide = guided(told, presses)
    still = seen(patient("squat", "both"), 9.0)
    assert guide.pressed() is None
    presses.append(1)
    assert guide.pressed() == "patient_stopped"
    assert guide.watch(still[1][1], 0.1, paused=True) is None
    presses.append(2)
    assert guide.pressed() == "patient_stopped"
    assert guide.answered(still[3][1], 0.3) is None
    presses.append(1)
    assert guide.pressed() == "idle"
    answers = [guide.answered(frame, time) for time, frame in still[5:]]
    assert (answers[0], answers[-1]) == (None, False)
    assert told == ["question all_right"]


def test_no_beat_drowns_the_question_whether_they_are_all_right_and_who_goes_on_is_asked_anew_later():
    told: list[str] = []
    guide = guided(told, [], paced_repetitions=2)
    frames = seen(patient("squat", "both"), 20.0)
    for time, frame in frames:
        guide.watch(frame, time, paused=False)
        if 1.5 < time < 12.0 and time - 1.5 < 2.0:
            assert guide.answered(frame, time) is None
    assert told == ["beat_start", "question all_right"]
    guide.went_on()
    assert guide.answered(frames[-1][1], 20.0) is None
    assert told[2:] == ["recording", "question all_right"]


def test_who_steps_away_in_the_countdown_hears_why_at_once():
    frames = seen(patient("squat", "both"), 9.0)
    away = [(time, frame if time < 1 or 3 < time < 5.2 else moved(frame, -3.0)) for time, frame in frames]
    assert led(away) == ["2 place too_far", "4 countdown 3", "5 countdown 2", "6 place too_far"]
