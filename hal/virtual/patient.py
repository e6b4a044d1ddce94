"""The virtual patient: where a body is at any time, as continuous functions that every device samples on its clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hal.virtual.body import SENSOR_PLACES, SENSOR_SEGMENTS, STANDARD_17, BodyShape, Pose, body_shape
from hal.virtual.impaired import ImpairedPerformance, impair
from hal.virtual.impairment import Impairment
from hal.virtual.movements import Movement
from hal.virtual.performance import INSTRUCTOR, Performance, Style, minimum_jerk, perform, perform_movement
from hal.virtual.posture import ANGLES, SIDES, Footing, footing, stand
from hal.virtual.rotations import Floats, blend, quaternions, rotation_vectors
from hal.virtual.unsteadiness import unsteadiness

GRAVITY = 9.81
"""m/s^2, along -y."""
_STEP_S = 0.004
"""Half the span of the central differences: short against a movement, long against float64."""
_RAISED = {"shoulder.flexion": 172.0, "shoulder.abduction": 5.0, "shoulder.rotation": 0.0, "elbow.flexion": 5.0}
_HELD = {"pelvis": ("pelvis",), "shoulders": ("left_shoulder", "right_shoulder")}


@dataclass(frozen=True, slots=True)
class Motion:
    """What sensors on the seventeen segments of `hal.types.SEGMENTS` would measure, without fault, at n instants.

    acceleration: (n, 17, 3) m/s^2, sensor axes, gravity included. angular_velocity: (n, 17, 3) rad/s, sensor axes.
    orientation: (n, 17, 4) unit quaternions w, x, y, z from sensor axes to stage axes (y up).
    """

    acceleration: Floats
    angular_velocity: Floats
    orientation: Floats


@dataclass(frozen=True, slots=True)
class _Activity:
    """A set (or a rest) that this person takes up at from_s and has wholly taken up settle_s later."""

    from_s: float
    settle_s: float
    performance: Performance | ImpairedPerformance
    movement: Movement
    footing: Footing


class VirtualPatient:
    """One person, who always does what they were last asked; thread-safe.

    seed: who it is: with it come the body's proportions and the habits. stature_m: metres; None takes it from the seed.
    Times are seconds on one clock of the caller's. Raises `HalError` for an exercise or a side it does not know.
    """

    def __init__(self, seed: int = 0, stature_m: float | None = None, style: Style | None = None) -> None:
        self.style = style or Style()
        self._rng = np.random.default_rng(seed)
        stature = stature_m or float(np.clip(self._rng.normal(1.70, 0.08), 1.50, 1.92))
        self.shape = body_shape(stature, self.style.build_spread, self._rng)
        self._habits = self._rng.standard_normal((2, len(ANGLES)))
        self._unsteadiness = unsteadiness(self.style, self._rng)
        self._lock = threading.Lock()
        upright = self._activity(self.style, "shoulder_abduction", "both", 0, -np.inf, 0.0, 0.0)
        self._activities: tuple[_Activity, ...] = (upright,)

    def rest(self, exercise: str, side: str, at_s: float, settle_s: float = 1.5) -> None:
        """From at_s on, take up the exercise's rest posture, and keep it."""
        with self._lock:
            self._take_up(self._activity(self.style, exercise, side, 0, at_s, settle_s, at_s))

    def perform(
        self,
        exercise: str,
        side: str,
        repetitions: int,
        at_s: float,
        lead_in_s: float = 1.0,
        tempo: float = 1.0,
        amplitude: float = 1.0,
        impairment: Impairment | None = None,
    ) -> float:
        """From at_s on, rest for lead_in_s, do the repetitions, rest. Gives the time when the last one is over.

        tempo and amplitude multiply this person's own, for this set. An impairment says how well it is done; raises
        `HalError` where the movement cannot be impaired like that.
        """
        style = replace(self.style, tempo=self.style.tempo * tempo, amplitude=self.style.amplitude * amplitude)
        settle_s = float(np.clip(lead_in_s, 0.1, 0.5))
        with self._lock:
            activity = self._activity(style, exercise, side, repetitions, at_s, settle_s, at_s + lead_in_s, impairment)
            self._take_up(activity)
        return activity.performance.end_s

    def raise_hands(self, hands: Literal["left", "right", "both"], at_s: float, for_s: float) -> None:
        """From at_s on, hold them above the head for so long, in the posture there is; then back as it was."""
        with self._lock:
            before = self._activities[-1]
            named = {name: before.movement.rest.get(name, 0.0) for name in _RAISED}
            movement = replace(before.movement, rest={**before.movement.rest, **_RAISED}, other_rest=named)
            done = perform_movement(movement, hands, 0, at_s, self.style, self._habits, self._rng)
            self._take_up(_Activity(at_s, 0.5, done, movement, stance(self.shape, done)))
            self._take_up(replace(before, from_s=at_s + for_s, settle_s=0.5))

    def settled_s(self) -> float:
        """When the posture last asked for is, or was, wholly taken up."""
        last = self._activities[-1]
        return last.from_s + last.settle_s

    def joints(self, times: Floats, points: tuple[str, ...] = STANDARD_17) -> Floats:
        """(n, points, 3) metres, stage axes: the standard 17 joints, or points of `hal.virtual.body.POINTS`."""
        return self.shape.place(self.pose(times), points)

    def motion(self, times: Floats) -> Motion:
        """What ideal sensors measure; derivatives are central differences over 8 ms."""
        count = len(times)
        pose = self.pose(np.concatenate([times - _STEP_S, times, times + _STEP_S]))
        places = self.shape.place(pose, SENSOR_PLACES)
        before, now, after = places[:count], places[count : 2 * count], places[2 * count :]
        felt = (before - 2.0 * now + after) / _STEP_S**2 + (0.0, GRAVITY, 0.0)
        worn = pose.rotations[:, SENSOR_SEGMENTS]
        turned = np.swapaxes(worn[:count], -1, -2) @ worn[2 * count :]
        axes = worn[count : 2 * count]
        acceleration = (np.swapaxes(axes, -1, -2) @ felt[..., None])[..., 0]
        return Motion(acceleration, rotation_vectors(turned) / (2.0 * _STEP_S), quaternions(axes))

    def pose(self, times: Floats) -> Pose:
        """The body at these times (n,): the posture in force, or on the way to it from the one before."""
        activities = self._activities
        first = float(np.min(times, initial=np.inf))
        done = [index for index, activity in enumerate(activities) if activity.from_s + activity.settle_s <= first]
        activities = activities[done[-1] if done else 0 :]
        pose = self._posed(activities[0], times)
        for activity in activities[1:]:
            weight = minimum_jerk((times - activity.from_s) / activity.settle_s)
            other = self._posed(activity, times)
            pelvis = pose.pelvis + weight[:, None] * (other.pelvis - pose.pelvis)
            pose = Pose(pelvis, blend(pose.rotations, other.rotations, weight))
        return pose

    def _posed(self, activity: _Activity, times: Floats) -> Pose:
        angles = activity.performance.angles(times)
        self._unsteadiness.add(angles, times, activity.movement.position)
        return stand(self.shape, angles, activity.footing)

    def _activity(
        self,
        style: Style,
        exercise: str,
        side: str,
        repetitions: int,
        from_s: float,
        settle_s: float,
        start_s: float,
        impairment: Impairment | None = None,
    ) -> _Activity:
        if impairment is not None:  # whose grades say how much of the range is done
            style = replace(style, amplitude=style.amplitude / self.style.amplitude)
        done = perform(exercise, side, repetitions, start_s, style, self._habits, self._rng)
        impaired = done if impairment is None else impair(done, exercise, impairment, self._rng)
        return _Activity(from_s, settle_s, impaired, done.movement, stance(self.shape, done))

    def _take_up(self, activity: _Activity) -> None:
        """Readers take the tuple as it is, so that they need no lock; eight activities are more than can overlap."""
        self._activities = (*self._activities[-8:], activity)


def stance(shape: BodyShape, performance: Performance) -> Footing:
    """How that person, in the movement's rest posture, touches the floor."""
    movement = performance.movement
    others = tuple(name for name in SIDES if performance.side not in (name, "both"))
    standing = {"none": (), "both": SIDES, "other": others}[movement.feet]
    held = _HELD.get(movement.held) or tuple(f"{name}_ball" for name in standing)
    return footing(shape, performance.rest, held, standing, movement.position == "supine")


def reference(
    exercise: str,
    side: str = "",
    repetitions: int = 5,
    rate_hz: float = 30.0,
    stature_m: float = 1.72,
    tempo: float = 1.0,
) -> tuple[Floats, Floats]:
    """An instructor's recording: times (n,) seconds from 0, and standard-17 positions (n, 17, 3) metres, stage axes.

    One second of rest, the repetitions, one second of rest; without sway, tremor or variation. A side left empty takes
    the first the movement is done with; tempo 2 is twice as fast as written. Raises `HalError` for an exercise or a
    side the virtual patient does not know.
    """
    instructor = VirtualPatient(0, stature_m, INSTRUCTOR)
    instructor.rest(exercise, side, at_s=-10.0)
    end_s = instructor.perform(exercise, side, repetitions, at_s=0.0, lead_in_s=1.0, tempo=tempo)
    times = np.arange(int((end_s + 1.0) * rate_hz) + 1) / rate_hz
    return times, instructor.joints(times)
