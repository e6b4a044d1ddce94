"""Camera and body-worn sensors become one skeleton: joints the camera saw stay, those it did not come from the sensors.

A joint that was seen well is left as it was measured: a patient without sensors and one with them are scored alike. Any
subset of the sensors works; without any, the recording comes back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.bones import BONE, CHILD, DIRECTION, OF_TRUNK, PARENT, TWIN, bones_by_segment
from appliance.fusion.chain import Placed, place
from appliance.fusion.learning import following
from appliance.fusion.orientation import SensorTrack
from appliance.fusion.residual import size_around, smooth
from appliance.fusion.wearing import MOUNTING_SD, SeenBones, find_wearing, independent_share
from appliance.skeleton.standard import BONES, INDEX, Recording

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SEEN_WELL = 0.5
"""From this confidence on a joint counts as seen (ours). What a camera gives below it is a guess: it may be off by any
amount, and in the same direction for as long as the joint is hidden, so that no number of frames averages it out."""
BEYOND_DOUBT = 0.8
"""From this confidence on it is left exactly as it was measured; between the two, the sensors have a say (ours)."""
CAMERA_SD_M = 0.015
"""Of each coordinate of a joint seen with confidence 1; it grows with the inverse square of the confidence (ours)."""
WORST_SD_M = 0.10
"""A joint known no better than this is not filled: a wrong place is worse than none (ours)."""
_STRAY = 0.08
"""How far a bone may stray from where its sensor says, at least, as a fraction of its length: 5 degrees."""
_STILL_STRAY = 0.15
"""The same for a bone of the trunk without a sensor, taken to stay where it was."""
_WRONG, _WRONG_M = 0.2, 0.06
"""A bone seen this far from where its sensor says, as a fraction of its length and at least so many metres in each
coordinate, over some seconds: the sensor is stuck, has slipped, or is worn elsewhere. It then tells nothing."""
_RHYTHM = 0.2
"""How far a shoulder may move with its arm, standard deviation, as a fraction of its bone, per arm's length."""
_WANDER_M = 0.05
"""How far a pelvis that nobody sees may wander in a second."""
_SURPRISE = 3.0
"""A seen joint off by more than so many standard deviations counts less (Huber's weights)."""
_FIRST_POSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Fused:
    """recording: as the camera's, with joints filled; their confidence is that of a camera's joint as certain, but
    never beyond doubt.

    filled: (frames, 17) bool, the joints that the camera did not see well and that are given nevertheless.
    bones: by child joint, each bone's vector (3,) in its sensor's axes, metres: a later set of the same person with
    the same sensors may start from them.
    """

    recording: Recording
    filled: Bools
    bones: Mapping[str, Floats]

    @property
    def filled_share(self) -> float:
        """Of all joints in all frames."""
        return float(self.filled.mean()) if self.filled.size else 0.0


def fuse(recording: Recording, tracks: Mapping[str, SensorTrack], known: Mapping[str, Floats] | None = None) -> Fused:
    """One skeleton from the camera's recording and the sensors' tracks, by segment, on the recording's time axis.

    known: `bones` of an earlier set, for bones that the camera does not see in this one. A flat (planar) recording,
    one without frames, and one without tracks come back unchanged.
    """
    told = bones_by_segment(frozenset(tracks))
    if not told or recording.planar or len(recording) < 2:
        return Fused(recording, np.zeros(recording.confidence.shape, bool), dict(known or {}))
    camera = _Camera.of(recording)
    felt, stray, found = _felt(camera, tracks, told, known or {})
    vectors, variance = _corrected(camera, felt, stray)
    placed = _placed_robustly(camera, vectors, variance)
    return Fused(*_blended(recording, placed), {BONES[bone][1]: vector for bone, vector in found.items()})


@dataclass(frozen=True, slots=True)
class _Camera:
    """What the camera tells: of joints (n, 17, 3) and (n, 17) m^2, of bones (n, 16, 3) and (n, 16) m^2, infinite where
    an end was not seen; well: (n, 16), both ends seen well."""

    times: Floats
    joints: Floats
    joint_variance: Floats
    bones: Floats
    bone_variance: Floats
    well: Bools

    @classmethod
    def of(cls, recording: Recording) -> _Camera:
        well = recording.confidence >= SEEN_WELL
        variance = np.where(well, (CAMERA_SD_M / np.maximum(recording.confidence, SEEN_WELL) ** 2) ** 2, np.inf)
        joints = recording.positions
        return cls(
            recording.times,
            joints,
            variance,
            joints[:, CHILD] - joints[:, PARENT],
            variance[:, CHILD] + variance[:, PARENT],
            well[:, CHILD] & well[:, PARENT],
        )

    def lengths(self) -> Floats:
        """(16,) m: median length of each bone where seen, else its twin's; NaN where neither was."""
        spans = np.linalg.norm(self.bones, axis=2)
        pairs = zip(spans.T, self.well.T, strict=True)
        own = np.array([np.median(span[well]) if well.any() else np.nan for span, well in pairs])
        return np.where(np.isfinite(own), own, own[TWIN])

    def left(self) -> float | None:
        """Heading of the body's left in the first pose."""
        for pair in ("hip", "shoulder"):
            axis = self.joints[:, INDEX[f"left_{pair}"]] - self.joints[:, INDEX[f"right_{pair}"]]
            seen = np.flatnonzero(np.isfinite(axis).all(axis=1))
            if len(seen):
                first = axis[seen[self.times[seen] <= self.times[seen[0]] + _FIRST_POSE_S]]
                x, _, z = np.median(first, axis=0)
                return float(np.arctan2(-z, x))
        return None


def _felt(
    camera: _Camera, tracks: Mapping[str, SensorTrack], told: Mapping[str, list[int]], known: Mapping[str, Floats]
) -> tuple[Floats, Floats, dict[int, Floats]]:
    """Bones as the sensors felt them (n, 16, 3), NaN where they did not; how far they may stray, (16,) m; and c."""
    felt = np.full_like(camera.bones, np.nan)
    lengths, left = camera.lengths(), camera.left()
    stray = _STRAY * lengths
    found: dict[int, Floats] = {}
    for segment, bones in told.items():
        expected = [known.get(BONES[bone][1], DIRECTION[bone] * lengths[bone]) for bone in bones]
        bones = [bone for bone, vector in zip(bones, expected, strict=True) if np.isfinite(vector).all()]
        prior = np.array([vector for vector in expected if np.isfinite(vector).all()]).reshape(-1, 3)
        turns = tracks[segment].at(camera.times)
        if not bones or not np.isfinite(turns).any():
            continue
        weights = np.where(camera.well[:, bones], 2.0 * CAMERA_SD_M**2 / camera.bone_variance[:, bones], 0.0)
        sizes = np.linalg.norm(prior, axis=1)
        seen = SeenBones(camera.times, turns, camera.bones[:, bones], weights, prior, MOUNTING_SD * sizes, left)
        worn = find_wearing(seen)
        felt[:, bones] = worn.felt
        stray[bones] = _STRAY * sizes
        found |= dict(zip(bones, worn.vectors, strict=True))
    for side in ("left", "right"):
        _raise_shoulder(camera, felt, BONE[f"{side}_shoulder"], BONE[f"{side}_elbow"])
    still = OF_TRUNK & ~np.isfinite(felt).any(axis=(0, 2)) & camera.well.any(axis=0)
    for bone in np.flatnonzero(still):
        felt[:, bone] = np.median(camera.bones[camera.well[:, bone], bone], axis=0)
        stray[bone] = _STILL_STRAY * lengths[bone]
    return felt, stray, found


def _raise_shoulder(camera: _Camera, felt: Floats, shoulder: int, arm: int) -> None:
    """Adds to the felt shoulder bone how the joint was seen to rise as the arm rose: the blade turns with the arm
    (Inman, Saunders & Abbott 1944), which a sensor on the back does not feel."""
    known = np.isfinite(felt[:, [shoulder, arm]]).all(axis=(1, 2))
    taught = known & camera.well[:, shoulder]
    if not taught.any():
        return
    direction = np.where(known[:, None], felt[:, arm] / np.linalg.norm(felt[:, arm], axis=1, keepdims=True), 0.0)
    beyond = np.where(taught[:, None], camera.bones[:, shoulder] - felt[:, shoulder], 0.0)
    information = np.where(taught, independent_share(camera.times) / camera.bone_variance[:, shoulder], 0.0)
    length = float(np.median(np.linalg.norm(felt[known, shoulder], axis=1)))
    felt[:, shoulder] += following(direction, beyond, information, _RHYTHM * length)


def _corrected(camera: _Camera, felt: Floats, stray: Floats) -> tuple[Floats, Floats]:
    """The felt bones with what the camera saw beyond them added, (n, 16, 3), and their variance (n, 16)."""
    known = np.isfinite(felt).all(axis=2)
    beyond = camera.bones - felt
    sizes = np.linalg.norm(np.where(known[..., None], felt, 0.0), axis=2)
    known &= size_around(camera.times, beyond, known & camera.well) < np.maximum(_WRONG * sizes, _WRONG_M)
    noise = np.where(known, camera.bone_variance, np.inf)
    sure = known & camera.well
    wide = [np.sqrt((beyond[rows, bone] ** 2).mean()) if rows.any() else 0.0 for bone, rows in enumerate(sure.T)]
    spread = np.where(np.isfinite(stray), np.maximum(stray, wide), 1.0)
    smoothed = smooth(camera.times, beyond, noise, spread)
    return felt + smoothed.mean, np.where(known, smoothed.variance, np.inf)


def _placed_robustly(camera: _Camera, bones: Floats, bone_variance: Floats) -> Placed:
    """Twice: the second time, joints that the first one contradicts count less."""
    joints, variance = _anchored(camera)
    first = place(joints, variance, bones, bone_variance)
    off = (np.where(np.isfinite(joints), first.positions - joints, 0.0) ** 2).sum(axis=2)
    surprise = off / (_SURPRISE**2 * 3.0 * (np.where(np.isfinite(variance), variance, 1.0) + first.variance))
    return place(joints, variance * np.maximum(surprise, 1.0), bones, bone_variance)


def _anchored(camera: _Camera) -> tuple[Floats, Floats]:
    """The camera's joints, the pelvis taken to be near where it was last and next seen: no sensor tells a place."""
    joints, variance = camera.joints.copy(), camera.joint_variance.copy()
    pelvis = INDEX["pelvis"]
    seen = np.flatnonzero(np.isfinite(variance[:, pelvis]))
    missing = np.flatnonzero(~np.isfinite(variance[:, pelvis]))
    if len(seen) and len(missing):
        times = camera.times
        for axis in range(3):
            joints[missing, pelvis, axis] = np.interp(times[missing], times[seen], joints[seen, pelvis, axis])
        since = np.abs(times[missing, None] - times[seen]).min(axis=1)
        variance[missing, pelvis] = CAMERA_SD_M**2 + _WANDER_M**2 * since
    return joints, variance


def _blended(recording: Recording, placed: Placed) -> tuple[Recording, Bools]:
    """Seen well: as measured; hardly: as placed, where that is known well enough; and which those are.

    A frame in which the camera saw nobody stays empty: whether the patient is there is not for the sensors to say.
    """
    sure = (placed.variance <= WORST_SD_M**2) & recording.confidence.any(axis=1, keepdims=True)
    trust = np.clip((recording.confidence - SEEN_WELL) / (BEYOND_DOUBT - SEEN_WELL), 0.0, 1.0)
    trust = np.where(sure, trust, 1.0)[..., None]
    positions = trust * np.where(trust > 0, recording.positions, 0.0) + (1.0 - trust) * placed.positions
    filled = sure & (recording.confidence < SEEN_WELL)
    as_sure = np.minimum(np.sqrt(CAMERA_SD_M / np.sqrt(placed.variance)), BEYOND_DOUBT)
    confidence = np.where(filled, as_sure, recording.confidence)
    return replace(recording, positions=positions, confidence=confidence), filled
