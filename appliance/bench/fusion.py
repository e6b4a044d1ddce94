"""Fusion against the truth: a limb that the camera does not see for two seconds, sensors worn as they are in life."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.bench.camera_noise import CameraNoise, unlike
from appliance.bench.rows import Row
from appliance.bench.worn_sensors import worn_tracks
from appliance.exercises import exercise_by_id
from appliance.fusion.fuse import fuse
from appliance.fusion.orientation import SensorTrack, sensor_tracks
from appliance.scoring.compare import score
from appliance.scoring.options import options_for
from appliance.skeleton.standard import INDEX, Recording, recording_of
from hal.types import SEGMENTS, ImuSample
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import VirtualPatient, reference
from hal.virtual.performance import Style

Floats = NDArray[np.float64]

ARM = ("left_shoulder", "left_elbow", "left_wrist")
LEG = ("left_hip", "left_knee", "left_ankle")
HIDDEN = {
    "supine_shoulder_flexion": ARM,
    "supine_elbow_flexion": ARM,
    "supine_shoulder_abduction": ARM,
    "supine_heel_slide": LEG,
    "supine_straight_leg_raise": LEG,
    "supine_hip_abduction": LEG,
    "seated_shoulder_flexion": ARM,
    "seated_knee_extension": LEG,
    "shoulder_abduction": ARM,
    "hip_abduction": LEG,
    "marching": LEG,
}
"""The movements in which one limb does the work, and which joints are hidden."""
RATE_HZ = 30.0
REPETITIONS = 4
SEEDS = 3
HIDDEN_S = 2.0


@dataclass(frozen=True, slots=True)
class Occlusion:
    """One set with a limb hidden around the turning point of its second repetition.

    truth: (frames, 17, 3) m; whole: what the camera would have seen; seen: what it saw; gone: (frames,) and the joints.
    """

    truth: Floats
    whole: Recording
    seen: Recording
    tracks: dict[str, SensorTrack]
    gone: NDArray[np.bool_]
    joints: list[int]

    def error_m(self, positions: Floats) -> float:
        """Mean distance of the worst of the hidden joints from where it was."""
        apart = np.linalg.norm(positions - self.truth, axis=2)[self.gone]
        return float(apart[:, self.joints].mean(axis=0).max())

    def interpolated(self) -> Floats:
        """The joints on a straight line from where they were last seen to where they are next seen."""
        times, positions = self.seen.times, self.seen.positions.copy()
        for joint in self.joints:
            for axis in range(3):
                known = positions[~self.gone, joint, axis]
                positions[self.gone, joint, axis] = np.interp(times[self.gone], times[~self.gone], known)
        return positions


def occlusion(exercise: str, seed: int, *, raw: bool, noise: CameraNoise = unlike) -> Occlusion:
    """raw: the sensors give raw signals; else an orientation whose heading drifts. Bones are 5 % off the average."""
    rng = np.random.default_rng(seed)
    patient = VirtualPatient(seed, style=Style(build_spread=0.05))
    side = MOVEMENTS[exercise].sides[0]
    patient.rest(exercise, side, at_s=-10.0)
    end_s = patient.perform(exercise, side, REPETITIONS, at_s=0.0, lead_in_s=3.0) + 1.0
    times = np.arange(int(end_s * RATE_HZ)) / RATE_HZ
    truth = patient.joints(times)
    joints = [INDEX[name] for name in HIDDEN[exercise]]
    whole = noise(truth, rng)
    gone = np.abs(times - _second_turn_s(truth[:, joints], times)) <= HIDDEN_S / 2.0
    seen = whole.copy()
    seen[gone[:, None] & np.isin(np.arange(len(INDEX)), joints)] = np.nan
    tracks = worn_tracks(patient, end_s, rng, raw=raw)
    before, after = (recording_of(times, positions, gravity="accelerometer") for positions in (whole, seen))
    return Occlusion(truth, before, after, tracks, gone, joints)


def _second_turn_s(limb: Floats, times: Floats) -> float:
    """Middle of the second stretch that the limb (frames, joints, 3) spends far from where it rests."""
    away = np.linalg.norm(limb - limb[0], axis=2).max(axis=1)
    far = away > 0.7 * away.max()
    begins = np.flatnonzero(far & ~np.roll(far, 1))
    ends = np.flatnonzero(far & ~np.roll(far, -1))
    return float(times[begins[1]] + times[ends[1]]) / 2.0


def run() -> list[Row]:
    """Every figure is the worst over patients, and over raw signals and device orientations."""
    rows: list[Row] = []
    for exercise, joints in HIDDEN.items():
        errors, straight, changes = [], [], []
        for seed in range(SEEDS):
            for raw in (True, False):
                hidden = occlusion(exercise, seed, raw=raw)
                fused = fuse(hidden.seen, hidden.tracks).recording
                errors.append(hidden.error_m(fused.positions))
                straight.append(hidden.error_m(hidden.interpolated()))
                changes.append(score_change(exercise, hidden.whole, fused))
        limb = "arm" if joints is ARM else "leg"
        name = f"{exercise}, {limb} hidden for 2 s"
        interpolated = 100 * float(np.mean(straight))
        rows.append(Row(name, 100 * max(errors), "cm, worst joint", 5.0, peer_name="straight line", peer=interpolated))
        if exercise.startswith("supine"):
            rows.append(Row(f"{name}: HS-BTW score, change", 100 * max(changes), "%", 10.0))
    return [*rows, _cost()]


def _cost() -> Row:
    """From samples to the fused recording, all 17 sensors giving raw signals at 96 Hz, with the threads numpy likes."""
    hidden = occlusion("supine_shoulder_flexion", 0, raw=True)
    duration_s = hidden.seen.duration_s
    times = np.arange(int(duration_s * 96.0)) / 96.0
    motion = VirtualPatient(0).motion(times)
    samples = [
        ImuSample(
            segment, row, round(time_s * 1e9), 0, motion.acceleration[row, place], motion.angular_velocity[row, place]
        )
        for row, time_s in enumerate(times.tolist())
        for place, segment in enumerate(SEGMENTS)
    ]
    started_s = time.process_time()
    fuse(hidden.seen, sensor_tracks((sample.stamp_ns / 1e9, sample) for sample in samples))
    spent_s = time.process_time() - started_s
    return Row("cost of fusing 1 camera with 17 raw sensors", 100 * spent_s / duration_s, "% of a core", 3.0)


def score_change(exercise: str, whole: Recording, fused: Recording) -> float:
    """Of D_P against the virtual instructor, relative to the set in which nothing was hidden."""
    times, positions = reference(exercise, MOVEMENTS[exercise].sides[0], REPETITIONS)
    instructor = recording_of(times, positions, gravity="accelerometer")
    options = options_for(exercise_by_id(exercise))
    before, after = (score(instructor, recording, options).pose_dissimilarity for recording in (whole, fused))
    return abs(after / before - 1.0)
