"""Exchanged sensors, found from a short guided movement: what each sensor did, against what its place should have done.

The method is ours. The patient follows `GUIDE`, a few seconds a step; a sensor on a limb must turn in its limb's steps
and rest in the others. Two sensors of one limb move together and cannot be told apart this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hal.types import ImuSample

LEAST_RATE = 0.4
"""rad/s, root mean square: below, nobody moved in that step; a limb raised in two seconds reaches about 0.8."""
MOVED = 0.4
RESTED = 0.2
"""Shares of the quickest sensor's rate: above MOVED a sensor took part, below RESTED it did not; between, unsure."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction. moves: segments that must turn. rests: segments that must not. Others may do as they like."""

    name: str
    moves: frozenset[str]
    rests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Window:
    """When a step was asked for, in `ImuSample.arrival_ns`."""

    step: Step
    begin_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Finding:
    """exchanged: pairs of segments whose sensors sit on each other's place. reason: why nothing can be said, or ""."""

    exchanged: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def right(self) -> bool:
        """Every sensor did what its place should."""
        return not self.exchanged and not self.reason


_ARMS = ("arm", "forearm", "hand")
_LEGS = ("thigh", "calf", "foot")


def _limb(side: str, parts: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{side}_{part}" for part in parts)


_LIMBS = _limb("left", _ARMS + _LEGS) | _limb("right", _ARMS + _LEGS)


def _step(name: str, side: str, moves: Iterable[str], free: Iterable[str] = ()) -> Step:
    moving = _limb(side, moves)
    return Step(name, moving, _LIMBS - moving - _limb(side, free))


GUIDE = (
    _step("raise your left arm and lower it", "left", _ARMS),
    _step("raise your right arm and lower it", "right", _ARMS),
    _step("lift your left knee and put the foot down", "left", ("thigh",), ("calf", "foot")),
    _step("lift your right knee and put the foot down", "right", ("thigh",), ("calf", "foot")),
    _step("straighten your left knee and put the foot down", "left", ("calf", "foot"), ("thigh",)),
    _step("straighten your right knee and put the foot down", "right", ("calf", "foot"), ("thigh",)),
)
"""Sitting on a chair. Head and trunk balance the body and may move in every step."""


def find_exchanged(samples: Sequence[ImuSample], windows: Sequence[Window]) -> Finding:
    """Which sensors were exchanged, by what moved in which step.

    The answer is the one exchange of two sensors that explains everything, else left and right exchanged on several
    places at once, else a reason why it cannot be told.
    """
    names = sorted({sample.segment for sample in samples})
    place = {name: row for row, name in enumerate(names)}
    rows = np.array([place[sample.segment] for sample in samples])
    times = np.array([sample.arrival_ns for sample in samples])
    speed = np.array([np.linalg.norm(sample.angular_velocity) for sample in samples])
    shares = np.zeros((len(names), len(windows)))
    for column, window in enumerate(windows):
        within = (times >= window.begin_ns) & (times < window.end_ns)
        rate = np.array([_rms(speed[within & (rows == row)]) for row in range(len(names))])
        if not np.isfinite(rate).all():
            dumb = ", ".join(name for name, value in zip(names, rate, strict=True) if not np.isfinite(value))
            return Finding(reason=f"{dumb}: no rate of turn while asked to {window.step.name}")
        if not rate.size or rate.max() < LEAST_RATE:
            return Finding(reason=f"nothing moved enough when asked to {window.step.name}; do it again, more quickly")
        shares[:, column] = rate / rate.max()
    return _explain(names, _fits(names, shares, [window.step for window in windows]))


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def _fits(names: list[str], shares: NDArray[np.float64], steps: Sequence[Step]) -> NDArray[np.bool_]:
    """(sensors, places): whether what a sensor did is what that place should do."""
    fits = np.ones((len(names), len(names)), dtype=bool)
    for column, step in enumerate(steps):
        for place, name in enumerate(names):
            if name in step.moves:
                fits[:, place] &= shares[:, column] > MOVED
            elif name in step.rests:
                fits[:, place] &= shares[:, column] < RESTED
    return fits


def _explain(names: list[str], fits: NDArray[np.bool_]) -> Finding:
    wrong = {row for row in range(len(names)) if not fits[row, row]}
    if not wrong:
        return Finding()
    single = [
        (a, b)
        for a, b in combinations(range(len(names)), 2)
        if wrong <= {a, b} and fits[a, b] and fits[b, a]
    ]  # fmt: skip
    if len(single) == 1:
        a, b = single[0]
        return Finding(exchanged=((names[a], names[b]),))
    wrong_names = ", ".join(names[row] for row in sorted(wrong))
    if single:
        pairs = " or ".join(f"{names[a]} and {names[b]}" for a, b in single)
        return Finding(reason=f"{wrong_names} moved as another place should; exchanged could be {pairs}")
    mirrored = {row: names.index(other) for row in wrong if (other := _mirror(names[row])) in names}
    if len(mirrored) == len(wrong) and all(fits[row, other] and fits[other, row] for row, other in mirrored.items()):
        return Finding(exchanged=tuple((names[row], names[mirrored[row]]) for row in sorted(wrong) if
                                       names[row].startswith("left_")))  # fmt: skip
    return Finding(reason=f"{wrong_names} did not move as asked, and no exchange explains it; check that these sensors "
                          "are switched on and sit firmly, and do it again")  # fmt: skip


def _mirror(name: str) -> str:
    side, _, part = name.partition("_")
    return {"left": f"right_{part}", "right": f"left_{part}"}.get(side, "")
