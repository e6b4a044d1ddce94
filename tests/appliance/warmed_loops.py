"""Run in a process of its own: which compiled loops the warm-up has left out, and which it has called although the box
has no depth camera, as JSON on stdout.

Every module of the box that compiles anything is imported and looked through. A loop counts as warmed where it was
called, or is called by one that was: what comes from the disk brings along what it calls. Then the real thing runs, and
must not need any loop compiled for other types of arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
from numba.core.dispatcher import Dispatcher

import appliance
import hal
from appliance.scoring.compare import compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import JOINTS, recording_of
from appliance.warm_up import run_all
from hal.pose.bystanders import human_sized
from hal.pose.lift import lift
from hal.pose.presence import body_refused
from tests.hal.pose.conftest import Stage


def loops() -> dict[str, Dispatcher]:
    """By module and name."""
    found = {}
    for package in (appliance, hal):
        (folder,) = map(Path, package.__path__)
        for file in folder.rglob("*.py"):
            if any(word in file.read_text("utf-8") for word in ("numba", "hal.kernels")):
                module = import_module(".".join(file.with_suffix("").relative_to(folder.parent).parts))
                own = (one for one in vars(module).values() if isinstance(one, Dispatcher))
                found |= {f"{one.py_func.__module__}.{one.py_func.__qualname__}": one for one in own}
    return found


def reached(loop: Dispatcher) -> Iterator[Dispatcher]:
    """It and all that it calls."""
    seen, waiting = set[int](), [loop]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            named = (one.py_func.__globals__.get(name) for name in one.py_func.__code__.co_names)
            waiting += [other for other in named if isinstance(other, Dispatcher)]


def live() -> None:
    """People before a depth camera, and patients who move, hide, mirror and stand still, as a session has them."""
    stage, rng = Stage(), np.random.default_rng(5)
    for posture in ("standing", "sitting"):
        body = stage.body(posture)
        scene = stage.scene(stage.view(posture, 2.4))
        scene.add_person(body)
        scene.add_person(stage.body("standing").moved(x=1.1), first=False)
        seen = stage.seen(scene, body, rng)
        lifted = lift(seen.depth, seen.lens, seen.pixels, seen.network, seen.visibility, seen.in_picture)
        assert lifted.measured.sum() > 15
        assert body_refused(seen.depth, seen.lens, seen.network, lifted) is None
        assert human_sized(seen.depth, seen.lens, seen.up, lifted.pixels[lifted.measured])
    times = np.arange(120) / 30.0
    places = rng.normal(0.0, 0.4, (len(JOINTS), 3))
    moving = places + 0.1 * np.sin(times[:, None, None] * 2 + places)
    hidden = np.where(rng.random((120, len(JOINTS), 1)) < 0.1, np.nan, moving)
    prepared = prepare_reference(recording_of(times, moving), ScoringOptions())
    still = np.repeat(places[None], 90, axis=0)
    for positions in (moving, hidden, moving[::2], moving * (-1, 1, 1), still):
        compare(prepared, recording_of(times[: len(positions)], positions))


def main() -> None:
    known = loops()
    run_all(depth=False)
    early = [name for name, loop in known.items() if loop.signatures]
    run_all(depth=True)
    warmed = {id(one) for loop in known.values() if loop.signatures for one in reached(loop)}
    before = {name: list(loop.signatures) for name, loop in known.items()}
    live()
    anew = [name for name, loop in known.items() if list(loop.signatures) != before[name]]
    never = [name for name, loop in known.items() if id(loop) not in warmed]
    print(json.dumps({"loops": sorted(known), "never": sorted(never), "anew": sorted(anew), "early": early}))


if __name__ == "__main__":
    main()
