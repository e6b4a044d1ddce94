"""A box whose disk loses its power at random instants, and that must have lost nothing it promised."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from after_cut import look
from blows import World
from power import PowerDisk

LAST_S = 1.0
"""A recording reaches to less than this before the cut, on a machine that lets the box work."""
_PATIENCE_S = 120.0

QUICK: dict[str, Any] = {"camera": {"driver": "quick"}, "indicator": {"driver": "silent"}}
"""Sets in no time: cuts between a result, its way to the disk and its way to the hospital."""
IN_REAL_TIME: dict[str, Any] = {
    "camera": {"driver": "synthetic"},
    "indicator": {"driver": "synthetic", "tempo": 1.0, "reaction_s": 0.1},
}
"""A set that lasts: cuts while it is recorded."""


class Stalls:
    """How long a thread of this machine that wants to run is kept waiting."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            asked_s = time.monotonic()
            time.sleep(0.02)
            self.longest_s = max(self.longest_s, time.monotonic() - asked_s - 0.02)


class PowerCuts:
    """One run; `done` counts."""

    def __init__(self, world: World, disk: PowerDisk, long_set: dict[str, Any]) -> None:
        self._world, self._disk, self._long_set = world, disk, long_set
        self.done = Counter[str]()
        self.faults: list[str] = []
        self._machine = Stalls()
        self._gaps_s: list[float] = []
        self._stalls_s: list[float] = []

    def cycle(self, recording: bool) -> None:
        """The box lives; the power is cut; what is left is looked at."""
        world, box = self._world, self._world.box
        self._disk.turn_on()
        box.configure(IN_REAL_TIME if recording else QUICK)
        self._start()
        self._machine.longest_s = 0.0
        if recording:
            self._prescribe([self._long_set])
            box.wait(lambda: world.receiver.session == "recording", _PATIENCE_S, "a set is recorded")
            box.pause(world.rng.uniform(1.2, 4.0))
        else:
            self._prescribe(world.exercises)
            wanted = len(box.log.stored) + world.rng.randrange(4)
            box.wait(lambda: len(box.log.stored) >= wanted, _PATIENCE_S, "results")
            box.pause(world.rng.uniform(0.0, 0.8))
        self._cut(recording)

    def _start(self) -> None:
        """What it said in its last life is forgotten."""
        self._world.receiver.online, self._world.receiver.health = False, {}
        self._world.box.start()

    def _prescribe(self, exercises: Sequence[dict[str, Any]]) -> None:
        """To a box that has told what became of the last one."""
        world = self._world
        world.box.wait(lambda: world.receiver.online, _PATIENCE_S, "the box is online")
        world.receiver.session = ""
        world.receiver.prescribe(exercises)

    def _cut(self, recording: bool) -> None:
        world, box = self._world, self._world.box
        at_ns = self._disk.cut(box.kill, world.rng)
        cache = self._disk.cache
        self._stalls_s.append(self._machine.longest_s)
        self.done["cuts"] += 1
        self.done["cuts while a set is recorded"] += recording
        self.done["sectors that were in the cache only"] += cache.cut
        self.done["of these written"] += cache.kept
        self._disk.turn_on()
        found = look(box.state)
        self._disk.close()
        known = found.results | world.receiver.ids().keys()
        self.faults += [f"cut {self.done['cuts']}: {fault}" for fault in found.faults]
        self.faults += [f"cut {self.done['cuts']}: {lost} is gone" for lost in box.log.stored.keys() - known]
        self.done["session files"] = found.finished
        if recording:
            gap_s = (at_ns - (found.last_frame_ns or 0)) / 1e9
            self._gaps_s.append(gap_s)
            if gap_s >= LAST_S + self._machine.longest_s:
                self.faults.append(f"cut {self.done['cuts']}: the recording ends {gap_s:.2f} s before")

    def until_all_arrived(self) -> None:
        """The rest undisturbed, and a clean end."""
        world, box = self._world, self._world.box
        self._disk.turn_on()
        box.configure(QUICK)
        world.receiver.withdraw()
        self._start()
        box.wait(lambda: box.log.stored.keys() <= world.receiver.ids().keys(), _PATIENCE_S, "the rest to arrive")
        box.wait(lambda: world.receiver.health.get("queued") == 0, _PATIENCE_S, "the queue to be empty")
        status = box.stop()
        self.done["clean ends"] += status == 0
        self.faults += [] if status == 0 else [f"the box ended with {status}"]
        self._disk.close()

    def verdict(self) -> dict[str, Any]:
        log, ids = self._world.box.log, self._world.receiver.ids()
        numbers = Counter(ids.values())
        return {
            **dict(sorted(self.done.items())), "stored": len(log.stored), "received": len(ids),
            "announced and lost": len(log.stored.keys() - ids.keys()),
            "holes": len(set(range(1, max(numbers, default=0) + 1)) - numbers.keys()),
            "numbers used twice": sum(count > 1 for count in numbers.values()),
            "recordings end before the cut by, s": [round(gap_s, 2) for gap_s in sorted(self._gaps_s)],
            "longest stall of this machine, s": round(max(self._stalls_s, default=0.0), 2),
            "alerts": dict(sorted(self._world.receiver.alerts.items())), "faults": self.faults[:10],
        }  # fmt: skip


def cut_again_and_again(world: World, disk: PowerDisk, long_set: dict[str, Any], cuts: int) -> dict[str, Any]:
    """So many cuts, every other one while a set is recorded; the verdict, with `sound`."""
    run = PowerCuts(world, disk, long_set)
    for number in range(cuts):
        run.cycle(recording=number % 2 == 1)
        print(f"cut {number + 1}/{cuts}: {len(world.box.log.stored)} results", file=sys.stderr, flush=True)
    run.until_all_arrived()
    verdict = run.verdict()
    bad = ("announced and lost", "holes", "numbers used twice", "faults")
    return verdict | {"sound": not any(verdict[name] for name in bad) and run.done["clean ends"] == 1}
