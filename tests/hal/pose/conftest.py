"""Bodies made of capsules, seen by a depth camera: what the lift and the presence gate are held to.

World axes: metres, x right in the picture, y up, z towards the camera; the floor is y = 0. The renderer knows nothing
of the code it tests: rays against capsules, planes and rectangles, sensor noise, holes and mixed pixels at edges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from hal.types import Lens

Floats = NDArray[np.float64]
KINECT = Lens(1280, 720, (611.8, 611.9), (639.3, 365.9))
SIDES = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True)
class View:
    """A camera `away` metres from the world's origin and `height` above the floor, tilted down by `tilt` degrees."""

    away: float
    height: float = 1.0
    tilt: float = 0.0

    @property
    def rotation(self) -> Floats:
        """World directions to the camera's axes (x right, y down, z away)."""
        s, c = np.sin(np.radians(self.tilt)), np.cos(np.radians(self.tilt))
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag([1.0, -1.0, -1.0])

    def to_camera(self, points: Floats) -> Floats:
        return (np.asarray(points) - [0, self.height, self.away]) @ self.rotation.T

    @property
    def up(self) -> Floats:
        return self.rotation @ [0.0, 1.0, 0.0]


@dataclass(frozen=True)
class Person:
    """joints: BlazePose's landmarks to places; capsules: (from, to, radius). World axes."""

    joints: dict[str, Floats]
    capsules: list[tuple[Floats, Floats, float]]

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Person:
        by = np.array([x, y, z])
        return Person(
            {name: place + by for name, place in self.joints.items()},
            [(a + by, b + by, radius) for a, b, radius in self.capsules],
        )

    def turned(self, matrix: Floats) -> Person:
        return Person(
            {name: matrix @ place for name, place in self.joints.items()},
            [(matrix @ a, matrix @ b, radius) for a, b, radius in self.capsules],
        )


def person(
    stature: float = 1.75,
    girth: float = 1.0,
    *,
    hip: float = 0.0,
    knee: float = 0.0,
    arm: float = 0.0,
    spread: float = 8.0,
    elbow: float = 10.0,
) -> Person:
    """Upright on the floor, facing the camera. Degrees: `hip` and `knee` flexion, `arm` raised forward, `spread`
    sideways, `elbow` flexion. Proportions of an adult (Drillis & Contini), radii for 1.75 m times `girth`."""
    s = stature
    joints: dict[str, Floats] = {}
    capsules: list[tuple[Floats, Floats, float]] = []

    def limb(a: Floats, b: Floats, radius: float) -> None:
        capsules.append((a, b, radius * girth * s / 1.75))

    def at(x: float, y: float, z: float) -> Floats:
        return np.array([x, y, z])

    down = at(0, -1, 0)
    pelvis = at(0, 0.53 * s, 0)
    neck = pelvis + at(0, 0.288 * s + 0.03, 0)
    head = neck + at(0, 0.095 * s, 0.01)
    limb(neck - at(0, 0.02, 0), head, 0.055)
    limb(head + at(0, 0.03, 0), head - at(0, 0.02, 0), 0.085)
    joints["nose"] = head + at(0, -0.01, 0.10)
    limb(joints["nose"] - at(0, 0, 0.03), joints["nose"] - at(0, 0, 0.012), 0.012)
    for side, sign in SIDES.items():
        out = at(sign, 0, 0)
        for name, off in (("eye_inner", 0.02), ("eye", 0.03), ("eye_outer", 0.04)):
            joints[f"{side}_{name}"] = head + at(sign * off, 0.02, 0.075)
        joints[f"mouth_{side}"] = head + at(sign * 0.025, -0.045, 0.075)
        joints[f"{side}_ear"] = head + out * 0.07
        shoulder = pelvis + at(sign * 0.11 * s, 0.288 * s, 0)
        hip_joint = pelvis + out * 0.052 * s
        limb(shoulder - out * 0.07 * s - at(0, 0.05, 0), hip_joint + at(0, 0.03, 0), 0.10)
        limb(hip_joint, pelvis, 0.10)
        limb(shoulder, shoulder - out * 0.08 * s, 0.055)
        swing = _about_x(-arm) @ _about_z(sign * spread) @ down
        bend = _about_x(-arm - elbow) @ _about_z(sign * spread) @ down
        elbow_joint = shoulder + swing * 0.186 * s
        wrist = elbow_joint + bend * 0.146 * s
        knuckle = wrist + bend * 0.06 * s
        limb(shoulder, elbow_joint, 0.05)
        limb(elbow_joint, wrist, 0.038)
        limb(wrist, knuckle, 0.03)
        thigh = _about_x(-hip) @ down
        shank = _about_x(knee - hip) @ down
        knee_joint = hip_joint + thigh * 0.245 * s
        ankle = knee_joint + shank * 0.246 * s
        toe = ankle + _about_x(knee - hip) @ at(0, -0.025 * s, 0.10 * s)
        heel = ankle + _about_x(knee - hip) @ at(0, -0.025 * s, -0.03 * s)
        limb(hip_joint, (hip_joint + knee_joint) / 2, 0.08)
        limb(hip_joint, knee_joint, 0.062)
        limb(knee_joint, (knee_joint + ankle) / 2, 0.056)
        limb(knee_joint, ankle, 0.043)
        limb(heel, toe, 0.03)
        joints |= {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow_joint, f"{side}_wrist": wrist,
                   f"{side}_hip": hip_joint, f"{side}_knee": knee_joint, f"{side}_ankle": ankle,
                   f"{side}_heel": heel, f"{side}_foot_index": toe}  # fmt: skip
        for name, off in (("pinky", 0.02), ("index", 0.0), ("thumb", -0.02)):
            joints[f"{side}_{name}"] = knuckle + out * off
    lowest = min(min(a[1], b[1]) - radius for a, b, radius in capsules)
    return Person(joints, capsules).moved(y=-lowest)


def standing(**measures: float) -> Person:
    return person(**measures)


def sitting(**measures: float) -> Person:
    return person(hip=85.0, knee=85.0, arm=25.0, elbow=40.0, **measures)


def lying(**measures: float) -> Person:
    """On the back on the floor, head to the left of the picture."""
    flat = person(spread=15.0, **measures).turned(_about_z(90.0) @ _about_y(-90.0))
    lowest = min(min(a[1], b[1]) - radius for a, b, radius in flat.capsules)
    middle = flat.joints["left_hip"][0]
    return flat.moved(y=-lowest, x=-middle)


def _about_x(degrees: float) -> Floats:
    s, c = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _about_y(degrees: float) -> Floats:
    s, c = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _about_z(degrees: float) -> Floats:
    s, c = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@dataclass
class Scene:
    """A room seen by one camera: exact depth in metres and, a pixel, which capsule of the first person it shows."""

    view: View
    lens: Lens = KINECT
    wall: float = 2.0
    floor: bool = True
    depth: Floats = field(init=False)
    owner: NDArray[np.int32] = field(init=False)
    _sensed: NDArray[np.uint16] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        v, u = np.mgrid[0 : self.lens.height, 0 : self.lens.width]
        rays = np.stack(
            [(u - self.lens.centre[0]) / self.lens.focal[0], (v - self.lens.centre[1]) / self.lens.focal[1],
             np.ones(u.shape)], axis=-1,
        )  # fmt: skip
        self.rays = rays
        self.depth = np.full(u.shape, np.inf)
        self.owner = np.full(u.shape, -1, np.int32)
        if self.floor:
            self.add_plane(np.array([0.0, 0, 0]), np.array([0.0, 1, 0]))
        self.add_plane(np.array([0.0, 0, -self.wall]), np.array([0.0, 0, 1]))

    def add_plane(self, point: Floats, normal: Floats) -> None:
        along = self.rays @ (self.view.rotation @ normal)
        with np.errstate(all="ignore"):
            distance = self.view.to_camera(point) @ (self.view.rotation @ normal) / along
        self._nearer(distance, slice(None), slice(None), -1)

    def add_board(self, centre: Floats, across: Floats, upward: Floats, curl_m: float = 0.0) -> None:
        """A rectangle with half-sides `across` and `upward`; with `curl_m` it bulges that far in its middle."""
        normal = np.cross(across, upward) / np.linalg.norm(np.cross(across, upward))
        steps = np.linspace(-1, 1, 2 if curl_m == 0 else 13)
        for left, right in pairwise(steps):
            a = centre + across * left + normal * curl_m * (1 - left**2)
            b = centre + across * right + normal * curl_m * (1 - right**2)
            self._strip((a + b) / 2, (b - a) / 2, upward)

    def _strip(self, centre: Floats, across: Floats, upward: Floats) -> None:
        normal = self.view.rotation @ np.cross(across, upward)
        middle = self.view.to_camera(centre)
        with np.errstate(all="ignore"):
            distance = (middle @ normal) / (self.rays @ normal)
            from_middle = self.rays * distance[..., None] - middle
        for side in (across, upward):
            turned = self.view.rotation @ side
            distance = np.where(np.abs(from_middle @ turned) <= turned @ turned * 1.0001, distance, np.inf)
        self._nearer(distance, slice(None), slice(None), -1)

    def add_person(self, body: Person, first: bool = True) -> None:
        for number, (a, b, radius) in enumerate(body.capsules):
            self._add_capsule(self.view.to_camera(a), self.view.to_camera(b), radius, number if first else -2)

    def _add_capsule(self, a: Floats, b: Floats, radius: float, owner: int) -> None:
        rows, columns = self._box(a, b, radius)
        rays = self.rays[rows, columns]
        if rays.size == 0:
            return
        unit = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        best = np.full(rays.shape[:2], np.inf)
        axis = b - a
        length = np.linalg.norm(axis)
        with np.errstate(all="ignore"):
            if length > 1e-9:
                axis = axis / length
                across = unit - (unit @ axis)[..., None] * axis
                start = a - (a @ axis) * axis
                qa, qb, qc = (across**2).sum(-1), across @ start, start @ start - radius**2
                distance = (qb - np.sqrt(qb**2 - qa * qc)) / qa
                along = (unit * distance[..., None] - a) @ axis
                best = np.where((along >= 0) & (along <= length) & (distance > 0), distance, best)
            for end in (a, b):
                qb = unit @ end
                distance = qb - np.sqrt(qb**2 - (end @ end - radius**2))
                best = np.fmin(best, np.where(distance > 0, distance, np.inf))
        self._nearer(best * unit[..., 2], rows, columns, owner)

    def _box(self, a: Floats, b: Floats, radius: float) -> tuple[slice, slice]:
        near = max(0.2, min(a[2], b[2]) - radius)
        ends = np.array([[p[i] / p[2] * self.lens.focal[i] + self.lens.centre[i] for i in (0, 1)] for p in (a, b)])
        margin = 1.3 * radius / near * max(self.lens.focal) + 3
        (left, top), (right, bottom) = ends.min(axis=0) - margin, ends.max(axis=0) + margin
        return (slice(max(0, int(top)), max(0, int(bottom) + 1)), slice(max(0, int(left)), max(0, int(right) + 1)))

    def _nearer(self, distance: Floats, rows: slice, columns: slice, owner: int) -> None:
        depth, owners = self.depth[rows, columns], self.owner[rows, columns]
        nearer = np.isfinite(distance) & (distance > 0.2) & (distance < depth)
        depth[nearer] = distance[nearer]
        owners[nearer] = owner

    def sensed(self, rng: np.random.Generator) -> NDArray[np.uint16]:
        """As a time-of-flight camera would have it: noise growing with distance, 2 % holes, mixed pixels at edges.

        One exposure a scene: asked again, it is the same.
        """
        if self._sensed is not None:
            return self._sensed.copy()
        depth = np.where(np.isfinite(self.depth) & (self.depth < 6.0), self.depth, 0.0)
        jump = np.zeros(depth.shape, bool)
        jump[:, 1:] |= np.abs(np.diff(depth, axis=1)) > 0.05
        jump[1:] |= np.abs(np.diff(depth, axis=0)) > 0.05
        mixed = jump & (rng.random(depth.shape) < 0.5)
        behind = np.roll(depth, 1, axis=1)
        depth = np.where(mixed, depth + (behind - depth) * rng.random(depth.shape), depth)
        depth = depth + rng.normal(0, 1, depth.shape) * (0.001 + 0.0008 * depth**2)
        depth[(rng.random(depth.shape) < 0.02) | (jump & (rng.random(depth.shape) < 0.3))] = 0
        self._sensed = np.round(np.clip(depth, 0, 65) * 1000).astype(np.uint16)
        return self._sensed.copy()

    def pixels(self, points: Floats) -> Floats:
        camera = self.view.to_camera(points)
        return camera[:, :2] / camera[:, 2:] * self.lens.focal + self.lens.centre


@dataclass(frozen=True)
class Seen:
    """What the code under test is given, and the truth, in the camera's axes."""

    depth: NDArray[np.uint16]
    lens: Lens
    up: Floats
    joints: Floats
    visible: NDArray[np.bool_]
    """Whether the skin over the joint is the surface in the picture."""
    in_picture: NDArray[np.bool_]
    pixels: Floats
    network: Floats
    """The network's metres: the truth from the hips, 5 cm off in every direction."""
    visibility: Floats = field(default_factory=lambda: np.full(33, 0.9))


class Stage:
    """Sets up a scene, looks at it once."""

    person = staticmethod(person)

    def body(self, posture: str = "standing", **measures: float) -> Person:
        return {"standing": standing, "sitting": sitting, "lying": lying}[posture](**measures)

    def figure(self, joints: Floats) -> Person:
        """Capsules round the 33 landmarks (33, 3) of somebody seen by the camera `straight`, in its axes."""
        world = joints * [1, -1, -1]
        places = dict(zip(LANDMARKS, world, strict=True))
        pairs = [("shoulder", "elbow", 0.05), ("elbow", "wrist", 0.04), ("wrist", "index", 0.03), ("hip", "knee", 0.07),
                 ("knee", "ankle", 0.05), ("heel", "foot_index", 0.03), ("shoulder", "hip", 0.1)]  # fmt: skip
        capsules = [(places[f"{side}_{a}"], places[f"{side}_{b}"], r) for side in SIDES for a, b, r in pairs]
        capsules += [(places[f"left_{part}"], places[f"right_{part}"], 0.09) for part in ("shoulder", "hip")]
        head = (places["left_ear"] + places["right_ear"]) / 2
        return Person(places, [*capsules, (head, head, 0.09)])

    def straight(self, wall: float) -> Scene:
        """A camera that looks straight ahead at a wall, without a floor."""
        return Scene(View(0.0, 0.0), wall=wall, floor=False)

    def view(self, posture: str, away: float) -> View:
        """A camera on a shelf; for somebody on the floor it looks down."""
        return View(away, 1.4, 28.0) if posture == "lying" else View(away, 1.0, 5.0)

    def scene(self, view: View, wall: float = 1.5) -> Scene:
        return Scene(view, wall=wall)

    def cut_out(self, scene: Scene) -> None:
        """Makes a figure of plywood of the person: the same outline, all of it at the depth of the plane z = 0."""
        flat = Scene(scene.view, scene.lens, wall=0.0)
        person = scene.owner >= 0
        scene.depth[person] = flat.depth[person]

    def seen(
        self, scene: Scene, body: Person, rng: np.random.Generator, noise_px: float = 5.0, noise_m: float = 0.05
    ) -> Seen:
        places = np.array([body.joints[name] for name in LANDMARKS])
        joints = scene.view.to_camera(places)
        exact = scene.pixels(places)
        pixels = exact + rng.normal(0, noise_px, exact.shape)
        network = joints - joints[23:25].mean(axis=0) + rng.normal(0, noise_m, joints.shape)
        visible = np.array([self._visible(scene, body, place, at) for place, at in zip(places, exact, strict=True)])
        in_picture = ((pixels >= 0) & (pixels < (scene.lens.width, scene.lens.height))).all(axis=1)
        return Seen(
            scene.sensed(rng), scene.lens, scene.view.up, joints, visible, in_picture, pixels, network,
        )  # fmt: skip

    def _visible(self, scene: Scene, body: Person, place: Floats, at: Floats) -> bool:
        column, row = np.round(at).astype(int)
        if not (0 <= column < scene.lens.width and 0 <= row < scene.lens.height):
            return False
        owner = scene.owner[row, column]
        if owner < 0:
            return False
        a, b, radius = body.capsules[owner]
        along = np.clip((place - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), 0, 1)
        deep = scene.view.to_camera(place)[2] - scene.depth[row, column]
        return bool(np.linalg.norm(place - a - along * (b - a)) < radius and deep < 1.6 * radius)


LANDMARKS = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip


@pytest.fixture
def stage() -> Stage:
    return Stage()
