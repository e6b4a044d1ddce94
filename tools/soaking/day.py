"""Sessions of many hours in a fraction of the time, with faults; what the box holds must not grow, and nothing be lost.

Each session is followed by a rest in which nothing happens but that the box's clocks go on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from appliance.bench.film import write_film
from appliance.demo.instructor import record_reference
from appliance.references import digest_of
from day_box import OUTBOX_MB, RETENTION_MB, DayBox, SoakError
from performed import EXERCISES, FILMED, REPETITIONS, TEMPO

FILM_EVERY = 4
"""Sessions, of which one ends with a filmed set."""
WARM_UP = 0.2
"""Share of the sessions before memory is compared."""
GROWTH = 0.02
FILM_HZ, FILM_REPETITIONS = 10, 2
STILL_S = 2 * 3600.0
"""Younger files are not erased: an hour after the last write, and the box looks once an hour."""
PATIENCE_S = 1800.0
"""For each half of a session; much more than it takes, for a machine that has other things to do."""

Say = Callable[[dict[str, Any]], None]


def _references(box: DayBox) -> list[dict[str, Any]]:
    """The exercises of a session; last the filmed one, whose reference is what the network sees in the film."""
    exercises = []
    for exercise, side in EXERCISES:
        reference = record_reference(exercise, side, REPETITIONS, TEMPO, box.references)
        exercises.append({"id": exercise, "side": side, "repetitions": REPETITIONS, "reference": reference})
    file = box.references / "film.csv.gz"
    command = [sys.executable, "-m", "appliance", "pose", str(box.film), "--out", str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    exercises.append({"id": FILMED, "side": "both", "repetitions": FILM_REPETITIONS, "reference": digest_of(file)})
    return [exercise | {"paced": False} for exercise in exercises]


def _disturb(box: DayBox, session: int) -> str:
    """What goes wrong around the box in this session; beside what goes wrong in its sets."""
    fault = ("", "broker killed", "", "port closed", "", "broker restarted", "", "nonsense prescribed")[session % 8]
    if fault in ("broker killed", "broker restarted"):
        box.receiver.listening.clear()
        (box.broker.kill if fault == "broker killed" else box.broker.stop)()
        time.sleep(1.0)
        box.broker.start()
        box.receiver.listening.wait(20)
    elif fault == "port closed":
        box.line.cut()
        time.sleep(1.0)
        box.line.mend()
    elif fault == "nonsense prescribed":
        box.receiver.send(b'{"id": "nobody", "exercises": 7')
        time.sleep(0.5)
    return fault


class Day:
    """One run. options: hours, exercises, in_a_session."""

    def __init__(self, box: DayBox, options: argparse.Namespace, exercises: list[dict[str, Any]], say: Say) -> None:
        self._box, self._hours, self._say = box, options.hours, say
        self._in_a_session = options.in_a_session
        self._sessions = max(2, -(-options.exercises // self._in_a_session))
        self._exercises = exercises
        self._done = Counter[str]()
        self._held: list[dict[str, int]] = []
        self._disk: list[tuple[float, int]] = []
        self._prescribed = 0
        self._replayed_s = 0.0

    def run(self) -> None:
        box = self._box
        box.wait(lambda: bool(box.receiver.health), PATIENCE_S, "the daemon starts")
        for session in range(self._sessions):
            self._session(session)
            self._rest(session)

    def verdict(self, minutes: float) -> dict[str, Any]:
        box = self._box
        ids, numbers = box.receiver.ids(), Counter(box.receiver.ids().values())
        held = self._held[int(WARM_UP * len(self._held)) :]
        share = max(1, len(held) // 4)
        before, after = (median(each["memory_kb"] for each in part) for part in (held[:share], held[-share:]))
        growth = after / before - 1
        constant = {name: sorted({each[name] for each in held}) for name in ("descriptors", "threads")}
        statuses = Counter(result["status"] for result in box.receiver.results)
        limit = (RETENTION_MB + OUTBOX_MB) << 20
        allowed = limit + self._written_in(STILL_S)
        largest = max(size for _, size in self._disk)
        lost = box.log.stored.keys() - ids.keys()
        holes = set(range(1, max(numbers, default=0) + 1)) - numbers.keys()
        devices = box.receiver.health["devices"]
        sound = (
            len(box.log.stored) == self._prescribed and not lost and not holes and growth < GROWTH
            and all(len(values) == 1 for values in constant.values()) and largest <= allowed
        )  # fmt: skip
        return {
            "hours": round(box.age_s / 3600, 2), "minutes": round(minutes, 1),
            "hours_in_sessions": round(self._replayed_s / 3600, 2),
            "sessions": self._sessions, "exercises": self._prescribed, "stored": len(box.log.stored),
            "received": len(ids), "lost": len(lost), "holes": len(holes), "statuses": dict(statuses),
            "faults": dict(self._done) | {
                "camera lost": devices["camera"]["interruptions"], "sensors lost": devices["imu"]["interruptions"],
                "frames lost": devices["camera"]["lost"], "samples lost": devices["imu"]["lost"],
            },
            "memory_mb": [round(before / 1024, 1), round(after / 1024, 1)],
            "memory_growth_percent": round(100 * growth, 2),
            **constant, "disk_mb": round(largest / 2**20, 1), "disk_allowed_mb": round(allowed / 2**20, 1),
            "alerts": dict(sorted(box.receiver.alerts.items())), "sound": sound,
        }  # fmt: skip

    def _session(self, number: int) -> None:
        box = self._box
        body = [exercise for exercise in self._exercises if exercise["id"] != FILMED]
        plan = [body[index % len(body)] for index in range(self._in_a_session)]
        if number % FILM_EVERY == 0:
            plan[-1] = self._exercises[-1]
            self._done["sets through the pose network"] += 1
        began_s = box.age_s
        box.receiver.prescribe(plan, box.clock.passed_s)
        self._prescribed += len(plan)
        half = len(box.log.stored) + len(plan) // 2
        box.wait(lambda: len(box.log.stored) >= half, PATIENCE_S, f"session {number}: half of it")
        if fault := _disturb(box, number):
            self._done[fault] += 1
        box.wait(lambda: len(box.log.stored) >= self._prescribed, PATIENCE_S, f"session {number}: the other half")
        box.wait(lambda: box.log.stored.keys() <= box.receiver.ids().keys(), PATIENCE_S, f"session {number}: arrives")
        box.wait(lambda: self._calm(number), PATIENCE_S, f"session {number}: the box is calm again")
        self._replayed_s += box.age_s - began_s
        self._held.append(box.resources())
        self._disk.append((box.age_s, box.disk()))
        row = {"session": number + 1, "of": self._sessions, "hours": round(box.age_s / 3600, 2)}
        self._say(row | {"results": len(box.receiver.ids()), **self._held[-1], "disk": box.disk(), "fault": fault})

    def _calm(self, number: int) -> bool:
        """By its log: what it says of a session may have gone to a broker that had just come back."""
        health = self._box.receiver.health
        idle = all(health["devices"][name]["state"] == "idle" for name in ("camera", "imu"))
        return idle and self._box.log.file.read_bytes().count(b" is done\n") > number

    def _rest(self, session: int) -> None:
        """Until the next session is due."""
        left_s = (session + 1) / self._sessions * self._hours * 3600 - self._box.age_s
        if left_s > 0:
            self._box.clock.let_pass(left_s)

    def _written_in(self, seconds: float) -> int:
        """The most that sessions wrote in such a time, from how the disk filled before anything was erased."""
        grown = [b[1] - a[1] for a, b in zip(self._disk, self._disk[1:], strict=False)]
        apart_s = self._hours * 3600 / self._sessions
        return int(max(grown, default=0) * (seconds / apart_s + 1))


def run(options: argparse.Namespace, say: Say) -> bool:
    """Prints a line a session and the verdict; whether it is sound."""
    with TemporaryDirectory(prefix="rehabbox-soak-") as name:
        film = options.film or Path(name, "film.mp4")
        if options.film is None:
            write_film(film, FILMED, "both", FILM_REPETITIONS, FILM_HZ, tempo=2.0)
        return _live(DayBox(Path(name), film), options, say)


def _live(whole: DayBox, options: argparse.Namespace, say: Say) -> bool:
    began_s = time.monotonic()
    with whole as box:
        day = Day(box, options, _references(box), say)
        try:
            day.run()
            status = box.stop()
        except SoakError as error:
            print(f"{error}\nthe box's last words:\n{box.last_words}", file=sys.stderr)
            return False
        box.log.update()
        verdict = day.verdict((time.monotonic() - began_s) / 60)
        clean = status == 0 and "Traceback" not in box.log.file.read_text("utf-8", "replace")
        say(verdict | {"daemon_exit": status, "sound": verdict["sound"] and clean})
        return bool(verdict["sound"] and clean)
