"""Sets recorded by a real box, one after another, while a simulated set of sensors fails in every way."""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulator.bvh import BvhSource, Outlet
from simulator.faults import Fault, Schedule
from simulator.terminal import Terminal
from simulator.xbus import XbusDevice

import day
from box import SoakedBox, SoakError
from faults import DEFAULT, Trial, default, parse

BACK_S = 5.0
"""After the end of a fault the sensors must be there again within this time."""
_BEFORE_S = 0.7
"""The set runs undisturbed for so long first."""
_PATIENCE_S = 120.0
"""A fresh checkout compiles its loops before its first set: more than a minute on a busy machine."""

_HELP = f"""Runs a whole box (broker, daemon, virtual patient) on simulated sensors that fail, one fault a set.

Each set prints a line of JSON: the fault, what the simulated device did (injected), what the box counted of it
(counted), seconds until the sensors were back after its end, and whether the daemon still runs. Fails (exit 1) where
counts differ, the sensors are not back within {BACK_S:g} s, a set is not scored, or the daemon stopped.

examples:
  tools/soak
  tools/soak --device bvh --minutes 2
  tools/soak --hours 24        a day of sessions, replayed: does anything grow, is anything lost?
  tools/soak --minutes 0 --sensors 2 --rate 50 --fault bad-checksum:1 --fault hang-up:0.5

faults, KIND:SPAN in seconds; in turn, and round again: {", ".join(DEFAULT)}
"""


class SimulatedSensors:
    """The misbehaving device, in a thread of this process; it does what it is told when it is told."""

    def __init__(self, device: XbusDevice | BvhSource, schedule: Schedule) -> None:
        self._device, self._schedule = device, schedule

    @property
    def did(self) -> Counter[str]:
        return Counter(self._device.injected)

    def misbehave(self, trial: Trial) -> None:
        self._schedule.add(Fault(trial.kind, self._device.age_s, trial.span_s))


@contextmanager
def _sensors(options: argparse.Namespace, folder: Path) -> Iterator[tuple[SimulatedSensors, dict[str, Any]]]:
    """The running device, and the settings with which a box reaches it."""
    schedule = Schedule([])
    device: XbusDevice | BvhSource
    if options.device == "xbus":
        link = folder / "port"
        device = XbusDevice(Terminal(link), options.sensors, options.rate, schedule, options.seed)
        settings = {"driver": "xbus", "port": str(link), "rate_hz": options.rate}
        if options.sensors < len(_SEGMENTS):
            settings["sensors"] = {str(number + 1): _SEGMENTS[number] for number in range(options.sensors)}
    else:
        outlet = Outlet(0, None)
        device = BvhSource(outlet, options.rate, schedule, options.seed, as_text=False, displacement=True,
                           reference=False)  # fmt: skip
        settings = {"driver": "noitom", "port": int(outlet.address.rsplit(":", 1)[1]), "rate_hz": options.rate}
    over = threading.Event()
    thread = threading.Thread(target=device.run, args=(math.inf, over.is_set))
    thread.start()
    try:
        yield SimulatedSensors(device, schedule), settings
    finally:
        over.set()
        thread.join()


_SEGMENTS = ("left_arm", "right_arm", "left_forearm", "right_forearm", "head", "upper_back", "lower_back", "left_hand",
             "right_hand", "left_thigh", "right_thigh", "left_calf", "right_calf", "left_foot", "right_foot",
             "left_shoulder_blade", "right_shoulder_blade")  # fmt: skip


def _set(box: SoakedBox, sensors: SimulatedSensors, trial: Trial, repetitions: int) -> dict[str, Any]:
    """One set with one fault in it."""
    results, did, before = len(box.results), sensors.did, dict(box.imu)
    box.prescribe(repetitions)
    box.listen(lambda: box.session == "recording" and box.imu["state"] == "ok", _PATIENCE_S, "a set is recorded")
    _for(_BEFORE_S, box)
    sensors.misbehave(trial)
    _for(trial.lasts_s, box)
    over_s, received = time.monotonic(), box.imu["received"]
    box.listen(
        lambda: box.imu["heard_s"] > over_s and box.imu["state"] == "ok" and box.imu["received"] > received,
        _PATIENCE_S, f"{trial.text}: the sensors are back",
    )  # fmt: skip
    back_s = box.imu["heard_s"] - over_s
    within = box.session == "recording"
    box.listen(
        lambda: len(box.results) > results and box.session == "done" and box.imu["state"] == "idle",
        2 * _PATIENCE_S, f"{trial.text}: the set is scored",
    )  # fmt: skip
    _for(1.0, box)  # the last counts
    did = sensors.did - did
    expected = trial.expected(did)
    counted = {name: _count(box.imu, name) - _count(before, name) for name in expected}
    status = box.results[-1]["status"]
    return {"fault": trial.text, "injected": dict(did), "counted": counted, "back_s": round(back_s, 1),
            "result": status, "daemon_alive": box.alive,
            "sound": counted == expected and back_s <= BACK_S and status == "scored" and box.alive and within,
            }  # fmt: skip


def _count(imu: dict[str, Any], name: str) -> int:
    return int(imu[name] if name == "interruptions" else imu["counters"].get(name, 0))


def _for(seconds: float, box: SoakedBox) -> None:
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        box.hear(left_s)


def _soak(options: argparse.Namespace, say: Callable[[dict[str, Any]], None]) -> bool:
    trials = options.fault or default(options.device)
    sound, sets, begin_s = True, 0, time.monotonic()
    with TemporaryDirectory(prefix="rehabbox-soak-") as name:
        folder = Path(name)
        with _sensors(options, folder) as (sensors, settings), SoakedBox(folder, settings, options.tempo) as box:
            try:
                box.listen(lambda: bool(box.imu and box.statuses), _PATIENCE_S, "the daemon starts")
                while sets < len(trials) or time.monotonic() - begin_s < 60 * options.minutes:
                    row = _set(box, sensors, trials[sets % len(trials)], options.repetitions)
                    say(row)
                    sound, sets = sound and row["sound"], sets + 1
                status = box.stop()
            except SoakError as error:
                print(f"{error}\nthe box's last words:\n{box.log[-2000:]}", file=sys.stderr)
                return False
            sound = sound and status == 0 and "Traceback" not in box.log
    say({"minutes": round((time.monotonic() - begin_s) / 60, 1), "sets": sets, "daemon_exit": status, "sound": sound})
    return sound


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/soak", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["xbus", "bvh"], default="xbus", help="what is simulated (default xbus)")
    parser.add_argument("--minutes", type=float, default=10.0, help="each fault once, and on for so long (default 10)")
    parser.add_argument("--sensors", type=int, choices=range(1, 18), default=17, metavar="1-17", help="xbus: how many")
    parser.add_argument("--rate", type=int, default=96, help="samples a second (default 96)")
    parser.add_argument("--fault", type=parse, action="append", metavar="KIND:SPAN", help="instead of every fault")
    parser.add_argument("--repetitions", type=int, default=10, help="of each set (default 10)")
    parser.add_argument("--tempo", type=float, default=2.0, help="of the virtual patient (default 2: in haste)")
    parser.add_argument("--seed", type=int, default=1, help="of everything random in the faults (default 1)")
    parser.add_argument("--hours", type=float, help="a day in little time instead: so many hours for the box")
    parser.add_argument("--exercises", type=int, default=1000, help="with --hours: in all of them (default 1000)")
    parser.add_argument("--in-a-session", type=int, default=20, help="with --hours: exercises (default 20)")
    parser.add_argument(
        "--film", type=Path, help="with --hours: a video of a person for the pose network (default: drawn)"
    )
    options = parser.parse_args()
    os.environ.pop("REHABBOX_IMU__DRIVER", None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # box and broker are ended
    way = _soak if options.hours is None else day.run
    return 0 if way(options, lambda row: print(json.dumps(row), flush=True)) else 1


sys.exit(main())
