"""One update: look, fetch, exchange, see whether all works, and go back where it does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.update.box import Box
from appliance.update.packages import Packages, UpdateError
from appliance.update.record import Record

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds that pass; tests make their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


CLOCK = Clock()

GATE_S = 300.0
"""Camera, sensors, model and broker must be good within this time."""
LOOK_AGAIN_S = 10.0
SESSION_RUNS = 75
"""Exit status: try again later (EX_TEMPFAIL of sysexits.h); the unit does."""
MUST_BE_GOOD = ("daemon", "doctor", "model", "exercises")
"""Faults of the software alone: they count whatever was before. What was at fault before (sensors that lie in their box
at night) is no fault of the new version; all else must be as good as it was."""


def update(
    packages: Packages,
    box: Box,
    record: Record,
    wanted: str | None = None,
    gate_s: float = GATE_S,
    clock: Clock = CLOCK,
) -> int:
    """Returns an exit status; see `__main__`. wanted: that version; else the newest, unless it failed before.

    Raises `UpdateError` where nothing was begun, or nothing helps.
    """
    if not packages.named:
        _log.info("the hospital has named no package source")
        return 0
    with box.reserve() as free:
        if not free:
            _log.info("a session is running; the update waits until it is over")
            return SESSION_RUNS
        packages.repair()
        if record.trial is None:
            try:
                if not _exchange(packages, box, record, wanted):
                    return 0
            except _InstallationError as error:
                return _go_back(packages, box, record, {"installation": str(error)})
        # else a power cut came between the exchange and the verdict
        return _judge(packages, box, record, gate_s, clock)


def _exchange(packages: Packages, box: Box, record: Record, wanted: str | None) -> bool:
    """Whether a newer version is in place now; what is needed for the way back is on disk before anything changes."""
    packages.refresh()
    before, new = packages.installed(), packages.candidate(wanted)
    if wanted is not None and new is None and before != wanted:
        raise UpdateError(f"{wanted} is not newer than {before}, or not in the hospital's package source")
    if new is None or (wanted is None and new == record.refused):
        _log.info("%s is installed%s", before, f"; {new} was tried and refused" if new else " and the newest")
        return False
    packages.archive(before)
    archive = packages.archive(new)
    faults = frozenset(box.faults())
    _log.info("updating from %s to %s", before, new)
    record.begin(before, new, faults)
    try:
        packages.install(archive)
    except UpdateError as error:
        raise _InstallationError(str(error)) from None
    return True


def _judge(packages: Packages, box: Box, record: Record, gate_s: float, clock: Clock) -> int:
    trial = record.trial
    assert trial is not None
    deadline_s = clock.now() + gate_s
    while counted := _counted(box.faults(), trial.faults):
        if clock.now() + LOOK_AGAIN_S > deadline_s:
            return _go_back(packages, box, record, counted)
        clock.sleep(LOOK_AGAIN_S)
    record.accept(trial.new)
    packages.keep_only(trial.before, trial.new)
    _log.info("%s works", trial.new)
    return 0


class _InstallationError(UpdateError):
    """The new version could not even be installed."""


def _counted(faults: dict[str, str], before: frozenset[str]) -> dict[str, str]:
    return {name: what for name, what in faults.items() if name in MUST_BE_GOOD or name not in before}


def _go_back(packages: Packages, box: Box, record: Record, faults: dict[str, str]) -> int:
    trial = record.trial
    assert trial is not None
    why = "; ".join(f"{name}: {what}" for name, what in faults.items())
    _log.error("%s does not work (%s); going back to %s", trial.new, why, trial.before)
    packages.install(packages.archive(trial.before))
    record.refuse(trial.new, why)
    packages.keep_only(trial.before)
    box.restart()  # it reads why it is back, and tells the hospital
    return 1
