"""The system calls from a result to "done": what was on the disk before the patient heard."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from blows import World
from box import ROOT

PATIENCE_S = 180.0

TRACED = "openat,write,pwrite64,fsync,fdatasync,rename,close"
_CALL = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<arguments>.*)\) += (?P<answer>-?\d+)(?P<of><[^>]*>)?")
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_FILE = re.compile(r"^\d+<([^>]*)>")


@dataclass(frozen=True)
class Call:
    """One that returned; in the order of their ends. file: whose descriptor it was about; the new name of a rename."""

    thread: str
    name: str
    file: str
    arguments: str
    answer: int

    def to(self, name: str, file: str) -> bool:
        """Whether it is this call, about a file of such a name."""
        return self.name == name and file in self.file


def calls(text: str) -> list[Call]:
    """Of what `strace -f -y` wrote."""
    begun: dict[tuple[str, str], str] = {}
    found = []
    for line in text.splitlines():
        if (part := _UNFINISHED.match(line)) is not None:
            begun[part[1], part[2]] = part[3]
            continue
        if (rest := _RESUMED.match(line)) is not None:
            line = f"{rest[1]} {rest[2]}({begun.pop((rest[1], rest[2]), '')}{rest[3]}"
        if (call := _CALL.match(line)) is not None:
            file = _FILE.match(call["arguments"])
            name = file[1] if file else call["arguments"].rpartition('"')[0].rpartition('"')[2]
            found.append(Call(call["thread"], call["call"], name, call["arguments"], int(call["answer"])))
    return found


def way_of_the_first_result(done: list[Call]) -> list[tuple[str, bool]]:
    """Each step of the thread that tells the patient "done", and whether it happened, in this order, before that."""
    heard = next((call for call in done if call.name == "write" and "cue: done" in call.arguments), None)
    if heard is None:
        return [('"done" is shown', False)]
    own = [call for call in done[: done.index(heard)] if call.thread == heard.thread and call.answer >= 0]
    log_written = max((at for at, call in enumerate(own) if call.to("pwrite64", "sqlite-wal")), default=len(own))
    steps = [
        ("the result is written beside its session file", "write", ".result-"),
        ("fsync of that file", "fsync", ".result-"),
        ("rename to its name", "rename", ".result-"),
        ("fsync of its folder", "fsync", "/sessions/"),
        ("the queue's log is written", "pwrite64", "sqlite-wal"),
    ]
    found, at = [], 0
    for what, name, file in steps:
        there = next((index for index in range(at, len(own)) if own[index].to(name, file)), None)
        found.append((what, there is not None))
        at = at if there is None else there + 1
    synced = any(call.to("fdatasync", "sqlite-wal") or call.to("fsync", "sqlite-wal") for call in own[log_written:])
    return [*found, ("fdatasync of the queue's log after the last write to it", synced), ('"done" is shown', True)]


def traced(world: World) -> int:
    """Runs the box under strace until its first result; prints the steps; 1 where one is missing."""
    strace = shutil.which("strace")
    if strace is None:
        print("strace is not installed; on Debian: apt install strace", file=sys.stderr)
        return 2
    box, log = world.box, world.box.log
    file = log.file.with_name("calls")
    command = [strace, "-f", "-y", "--seccomp-bpf", "-s", "200", "-e", f"trace={TRACED}", "-o", str(file)]
    command += [sys.executable, "-m", "appliance", "run", "--settings", str(box.settings)]
    world.receiver.prescribe(world.exercises)
    with log.file.open("ab") as output:
        process = subprocess.Popen(
            [*box.prefix, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT,
            env=os.environ | box.environment, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not log.announced and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
            log.update()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    steps = way_of_the_first_result(calls(file.read_text("utf-8", "replace")))
    for what, happened in steps:
        print(f"{'yes' if happened else 'NO '}  {what}")
    return 0 if all(happened for _, happened in steps) else 1
