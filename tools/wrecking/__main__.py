"""A whole box that is killed, cut off and damaged while it produces results: every one must arrive."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from appliance.demo.instructor import record_reference
from appliance.hospital.throwaway import ThrowawayBroker
from blows import BLOWS, DAMAGE, World
from box import ROOT, Box, StuckError
from line import Line
from network import Network
from power import PowerDisk, missing
from power_cuts import cut_again_and_again
from quick_camera import EXERCISE, REPETITIONS, SIDE, TEMPO, install
from receiver import Receiver
from tracing import traced

SITE, BOX = "chaos", "box"
RESULTS = 500
"""Announced at least, unless --quick."""
DISK_MB, QUICK_DISK_MB = 1024, 192
"""In memory. A fast machine's box scores thousands of sets between 200 kills, and keeps them all."""
EXERCISES = 50
"""In one prescription."""
PATIENCE_S = 60.0
LONG_SET = ("shoulder_abduction", "left", 10)
"""Whose recording is cut off."""

_HELP = f"""Runs a whole box (real broker, `rehabbox run`, a camera that replays a set in no time) and kills it
with SIGKILL again and again, a third of the times between a result's commit and the broker's answer. Meanwhile the
broker dies, the link is cut, the disk fills, the clock is set back, the queue's database is damaged.

In the end every result that the box noted as on disk must be at the hospital exactly once after copies are dropped,
with sequence numbers from 1 without a hole, and no fault of the software in the box's log. The last line is JSON with
what was done, counted, and the seed; exit 1 where it is not so. As root the box has its own network and a small disk of
its own; else the link is cut by closing the port, and the disk is not filled (the last line says so).

examples:
  tools/chaos
  tools/chaos --seed 7 --kills 20
  tools/chaos --quick
  tools/chaos --power      the disk's power is cut at 30 random instants: all that was not flushed is lost (root)
  tools/chaos --trace      the system calls from a result to "done", in order

At least {RESULTS} results are announced, however few kills that takes; --quick: as many as come.
"""


def _small_disk(stack: ExitStack, state: Path, megabytes: int) -> bool:
    """Whether the box's disk is one of its own, which may be filled."""
    state.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", state]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        return False
    stack.callback(subprocess.run, ["umount", "--lazy", state], check=False)
    return True


def _network(stack: ExitStack) -> Network | None:
    try:
        return stack.enter_context(Network())
    except OSError as error:
        print(f"the box has no network of its own: {error}", file=sys.stderr)
        return None


def _world(stack: ExitStack, folder: Path, network: Network | None, small_disk: bool, rng: random.Random) -> World:
    broker = stack.enter_context(ThrowawayBroker(folder / "broker", SITE))
    line = stack.enter_context(Line((network.address if network else "127.0.0.1", 0), broker.port))
    references = folder / "references"
    references.mkdir()
    digest = record_reference(EXERCISE, SIDE, REPETITIONS, TEMPO, references)
    own = broker.settings_for(BOX)
    tables: dict[str, dict[str, Any]] = {
        "broker": {"host": own.host, "port": line.port, "ca": str(own.ca), "certificate": str(own.certificate),
                   "key": str(own.key), "site": SITE, "box": BOX, "keepalive_s": 2,
                   "spread_s": 0.5},
        "camera": {"driver": "quick"}, "pose": {"driver": "device"}, "indicator": {"driver": "silent"},
        "session": {"state": str(folder / "state"), "references": str(references), "announce_s": 0.0},
        "guidance": {"countdown_s": 0.0, "place": False, "words_s": 0.0, "ask": False},
        "outbox": {"late_per_s": 200.0, "keep_s": 5.0}, "health": {"interval_s": 0.5},
    }  # fmt: skip
    box = Box(folder, tables, network.prefix if network else [], install(folder / "plug-in"))
    stack.callback(box.close)
    exercise = {"id": EXERCISE, "side": SIDE, "repetitions": REPETITIONS, "reference": digest, "paced": False}
    receiver = stack.enter_context(Receiver(broker.settings_for("hospital"), BOX))
    return World(box, broker, line, network, receiver, [exercise] * EXERCISES, small_disk, rng)


class Chaos:
    """One run; `done` counts what was really done."""

    def __init__(self, world: World) -> None:
        self.world, self.done = world, Counter[str]()
        self._prescribed = 0
        world.box.on_wait = self._keep_busy

    def cycle(self, blow: str | None, unanswered: bool, damage: str | None) -> None:
        """The box lives, is struck, is killed, and perhaps damaged."""
        world, box = self.world, self.world.box
        box.start()
        if blow is not None:
            self._results(1 if unanswered else world.rng.randrange(3))
            BLOWS[blow](world)
            self.done[blow] += 1
        if unanswered:
            self._kill_unanswered()
        else:
            world.pause(0.0, 3.0 if blow else 6.0)
            box.kill()
        self.done["kills"] += 1
        world.line.release()
        if damage is not None:
            DAMAGE[damage](box.state / "outbox.sqlite", world.rng)
            self.done[f"database {damage}"] += 1

    def _kill_unanswered(self) -> None:
        """With a result committed, and no answer of the broker possible since before."""
        world, box = self.world, self.world.box
        self._results(1)
        world.line.hold()
        self._results(1)
        world.pause(0.0, 0.2)
        box.kill()
        self.done["kills between commit and PUBACK"] += 1

    def _results(self, number: int) -> None:
        """Waits for so many more."""
        box = self.world.box
        box.log.update()
        wanted = len(box.log.stored) + number
        box.wait(lambda: len(box.log.stored) >= wanted, PATIENCE_S, f"{number} more results")

    def _keep_busy(self) -> None:
        """The next prescription, once the last one is done."""
        stored = len(self.world.box.log.stored)
        if stored >= self._prescribed:
            self._prescribed = stored + 40
            self.world.receiver.prescribe(self.world.exercises)

    def until(self, announced: int) -> None:
        """The rest undisturbed, then all that waits, and a clean end."""
        world, box = self.world, self.world.box
        box.start()
        while len(box.log.announced) < announced:
            self._results(1)
        self._results(1)
        box.on_wait = lambda: None
        world.receiver.withdraw()
        box.wait(lambda: box.log.stored.keys() <= world.receiver.ids().keys(), PATIENCE_S, "the rest to arrive")
        box.wait(lambda: world.receiver.health.get("queued") == 0, PATIENCE_S, "the queue to be empty")
        self.done["clean ends"] += box.stop() == 0

    def verdict(self, seed: int) -> dict[str, Any]:
        world, log = self.world, self.world.box.log
        ids, health = world.receiver.ids(), world.receiver.health
        numbers = Counter(ids.values())
        highest = max(numbers, default=0)
        missing = sorted(set(range(1, highest + 1)) - numbers.keys())
        lost = sorted(log.stored.keys() - ids.keys())
        return {
            "seed": seed, **dict(sorted(self.done.items())),
            "link cut by": "network namespace" if world.network else "closed port", "disk": world.small_disk,
            "stored": len(log.stored), "announced": len(log.announced), "lost": len(lost),
            "announced and lost": len(log.announced & set(lost)), "received": len(ids),
            "copies dropped": len(world.receiver.results) - len(ids), "highest sequence": highest,
            "holes": len(missing), "first missing": missing[:10],
            "numbers used twice": sum(count > 1 for count in numbers.values()),
            "alerts": dict(sorted(world.receiver.alerts.items())),
            "tracebacks": log.file.read_bytes().count(b"Traceback"),
            "historical": sum(result["historical"] for result in world.receiver.results),
            **{name: health.get(name) for name in ("delivered", "refused", "rebuilt", "dropped")},
        }  # fmt: skip


def _plan(rng: random.Random, kills: int, disk: bool) -> list[tuple[str | None, bool, str | None]]:
    """Every kind at least once, where there are kills enough."""
    blows = [blow for blow in BLOWS if disk or blow != "disk filled"]
    plan: list[tuple[str | None, bool, str | None]] = []
    for number in range(kills):
        blow = blows[number // 3 % len(blows)] if number % 3 == 0 else None
        damage = list(DAMAGE)[number // 5 % len(DAMAGE)] if number % 5 == 4 else None
        plan.append((blow, number % 3 == 1, damage))
    rng.shuffle(plan)
    return plan


def _power(stack: ExitStack, folder: Path, cuts: int, seed: int) -> int:
    if reason := missing():
        print(f"tools/chaos --power: {reason}", file=sys.stderr)
        return 2
    began = time.monotonic()
    disk = PowerDisk(folder, folder / "state")
    stack.callback(disk.close)
    # Without a network of its own, which would bring a view of the disks of its own: this one comes and goes.
    world = _world(stack, folder, None, False, random.Random(seed))  # noqa: S311
    digest = record_reference(*LONG_SET, 1.0, folder / "references")
    names = dict(zip(("id", "side", "repetitions"), LONG_SET, strict=True))
    long_set = world.exercises[0] | names | {"reference": digest}
    verdict: dict[str, Any] = {"seed": seed}
    try:
        verdict |= cut_again_and_again(world, disk, long_set, cuts)
    except StuckError as error:
        print(f"the box's last words:\n{world.box.log.file.read_text('utf-8', 'replace')[-3000:]}", file=sys.stderr)
        verdict |= {"stuck": str(error), "sound": False}
    print(json.dumps(verdict | {"minutes": round((time.monotonic() - began) / 60, 1)}))
    return 0 if verdict["sound"] else 1


_QUICK: list[tuple[str | None, bool, str | None]] = [
    ("broker killed", True, "removed"),
    ("disk filled", True, "overwritten"),
    ("link cut", False, None),
]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/chaos", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default 1)")
    parser.add_argument("--kills", type=int, default=200, help="of the daemon, by SIGKILL (default 200)")
    parser.add_argument("--quick", action="store_true", help="a few of each kind, in seconds")
    parser.add_argument("--power", action="store_true", help="cut the power of its disk instead")
    parser.add_argument("--cuts", type=int, default=30, help="with --power: how often (default 30)")
    parser.add_argument("--trace", action="store_true", help="show that the disk has a result before the patient hears")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("REHABBOX_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # networks and disks are taken down
    rng, began = random.Random(options.seed), time.monotonic()  # noqa: S311
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rehabbox-chaos-")))
        os.chdir(ROOT)
        if options.power:
            return _power(stack, folder, options.cuts, options.seed)
        disk = _small_disk(stack, folder / "state", QUICK_DISK_MB if options.quick or options.trace else DISK_MB)
        world = _world(stack, folder, _network(stack), disk, rng)
        if options.trace:
            return traced(world)
        world.scale = 0.3 if options.quick else 1.0
        chaos = Chaos(world)
        plan = _QUICK if options.quick else _plan(rng, options.kills, world.small_disk)
        try:
            for number, step in enumerate(plan, start=1):
                if step[0] == "disk filled" and not world.small_disk:
                    step = (None, *step[1:])
                chaos.cycle(*step)
                stored = len(world.box.log.stored)
                print(f"{number}/{len(plan)} {step}: {stored} results", file=sys.stderr, flush=True)
            chaos.until(1 if options.quick else RESULTS)
        except StuckError as error:
            print(f"{error}\nthe box's last words:", file=sys.stderr)
            print(world.box.log.file.read_text("utf-8", "replace")[-3000:], file=sys.stderr)
            print(json.dumps(chaos.verdict(options.seed) | {"stuck": str(error)}))
            return 1
        verdict = chaos.verdict(options.seed) | {"minutes": round((time.monotonic() - began) / 60, 1)}
        text = world.box.log.file.read_text("utf-8", "replace")
        if fault := text.partition("Traceback")[2]:
            print(f"the first fault in the box's log:\n{fault[:3000]}", file=sys.stderr)
    wrong = ("lost", "holes", "numbers used twice", "tracebacks")
    sound = not any(verdict[name] for name in wrong) and verdict["clean ends"] == 1
    print(json.dumps(verdict | {"sound": sound}))
    return 0 if sound else 1


sys.exit(main())
