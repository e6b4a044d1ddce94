"""What is done to the box: while it works, and to its files while it lies dead."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.hospital.throwaway import ThrowawayBroker
from box import Box
from line import Line
from network import Network
from receiver import Receiver

OFFLINE_S = (0.3, 2.0)
"""How long an outage lasts."""


@dataclass
class World:
    """Everything around the box. network: None where it has none of its own. exercises: of each prescription.
    small_disk: whether its disk may fill."""

    box: Box
    broker: ThrowawayBroker
    line: Line
    network: Network | None
    receiver: Receiver
    exercises: list[dict[str, Any]]
    small_disk: bool
    rng: random.Random
    scale: float = 1.0
    """Of the durations."""

    def pause(self, least_s: float, most_s: float) -> None:
        self.box.pause(self.scale * self.rng.uniform(least_s, most_s))


def broker_killed(world: World) -> None:
    """As by a power cut: it forgets retained messages and sessions."""
    world.broker.kill()
    world.pause(*OFFLINE_S)
    _back(world)


def broker_restarted(world: World) -> None:
    world.broker.stop()
    world.pause(*OFFLINE_S)
    _back(world)


def _back(world: World) -> None:
    world.receiver.listening.clear()
    world.broker.start()
    world.receiver.listening.wait(10)


def link_cut(world: World) -> None:
    """The cable is pulled: no end of a connection is ever seen."""
    cut, mend = (world.network.cut, world.network.mend) if world.network else (world.line.cut, world.line.mend)
    cut()
    world.pause(*OFFLINE_S)
    mend()


def port_closed(world: World) -> None:
    """Connections break, and new ones are refused."""
    world.line.cut()
    world.pause(*OFFLINE_S)
    world.line.mend()


def disk_filled(world: World) -> None:
    """To the last byte, until a result could not be stored, or a while."""
    filler, before = world.box.state / "filler", world.receiver.alerts["storage_failed"]
    with suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(1 << 16))
    with suppress(OSError), filler.open("ab", buffering=0) as stream:
        while True:
            stream.write(b"x")
    deadline = time.monotonic() + 3.0 * world.scale
    while time.monotonic() < deadline and world.receiver.alerts["storage_failed"] == before:
        world.box.pause(0.05)
    if world.rng.random() < 0.5:
        world.box.kill()
    filler.unlink()


def clock_back(world: World) -> None:
    """By seconds to hours; beyond its certificates' lives the box has no connection until the clock is right."""
    world.box.clock.set_wrong(-world.rng.choice((5.0, 60.0, 3 * 3600.0)))
    world.pause(0.5, 2.5)
    if world.rng.random() < 0.5:
        world.box.kill()
        world.box.start()
        world.pause(2.0, 4.0)
    world.box.clock.set_wrong(0.0)


def database_overwritten(world: World) -> None:
    """While it is in use."""
    _overwrite(world.box.state / "outbox.sqlite", world.rng)


BLOWS: dict[str, Callable[[World], None]] = {
    "broker killed": broker_killed,
    "broker restarted": broker_restarted,
    "link cut": link_cut,
    "port closed": port_closed,
    "disk filled": disk_filled,
    "clock set back": clock_back,
    "database overwritten in use": database_overwritten,
}


def _overwrite(file: Path, rng: random.Random) -> None:
    """A stretch of it, as a worn flash block is."""
    with suppress(FileNotFoundError), file.open("r+b") as stream:
        size = stream.seek(0, 2)
        stream.seek(rng.randrange(max(size, 1)))
        stream.write(rng.randbytes(rng.choice((1, 64, 4096, 32768))))


def _cut(file: Path, rng: random.Random) -> None:
    with suppress(FileNotFoundError), file.open("r+b") as stream:
        stream.truncate(rng.randrange(max(stream.seek(0, 2), 1)))


def _remove_all(file: Path, rng: random.Random) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)


DAMAGE: dict[str, Callable[[Path, random.Random], None]] = {
    "cut short": _cut,
    "overwritten": _overwrite,
    "removed": lambda file, rng: file.unlink(missing_ok=True),
    "log cut short": lambda file, rng: _cut(file.with_name(file.name + "-wal"), rng),
    "log overwritten": lambda file, rng: _overwrite(file.with_name(file.name + "-wal"), rng),
    "removed with its log": _remove_all,
}
"""To the dead box's database."""
