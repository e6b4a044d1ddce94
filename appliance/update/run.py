"""One update: look, fetch, exchange, see whether all works, and go back where it does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from appliance.update.box import Box
from appliance.update.packages import Packages, UpdateError
from appliance.update.record import Record

_log = logging.getLogger(__name__)

GATE_S = 300.0
"""Camera, sensors, model and broker must be good within this time."""
LOOK_AGAIN_S = 10.0
MUST_BE_GOOD = ("daemon", "doctor", "model", "exercises")
"""Faults of the software alone: they count whatever was before. What was at fault before (sensors that lie in their box
at night) is no fault of the new version; all else must be as good as it was."""


def update(
    packages: Packages,
    box: Box,
    record: Record | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Returns an exit status; see `__main__`. Raises `UpdateError` where nothing was begun, or nothing helps."""
    record = record or Record()
    if not packages.named:
        _log.info("the hospital has named no package source")
        return 0
    with box.reserve() as free:
        if not free:
            _log.info("a session is running; the update waits for the next look")
            return 0
        packages.repair()
        if record.trial is not None:  # a power cut came between the exchange and the verdict
            return _judge(packages, box, record, *record.trial, clock, sleep)
        packages.refresh()
        before, new = packages.installed(), packages.candidate()
        if new is None or new == record.refused:
            _log.info("%s is installed%s", before, f"; {new} was tried and refused" if new else " and the newest")
            return 0
        packages.archive(before)  # without a way back there is no way there
        archive = packages.archive(new)
        faults = frozenset(box.faults())
        _log.info("updating from %s to %s", before, new)
        record.try_(before, faults)
        try:
            packages.install(archive)
        except UpdateError as error:
            _log.error("%s", error)
            return _go_back(packages, box, record, before, new, {"installation": str(error)})
        return _judge(packages, box, record, before, faults, clock, sleep)


def _judge(
    packages: Packages,
    box: Box,
    record: Record,
    before: str,
    faults_before: frozenset[str],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> int:
    new = packages.installed()
    deadline_s = clock() + GATE_S
    while counted := _counted(box.faults(), faults_before):
        if clock() + LOOK_AGAIN_S > deadline_s:
            return _go_back(packages, box, record, before, new, counted)
        sleep(LOOK_AGAIN_S)
    record.accept(new)
    packages.keep_only(before, new)
    _log.info("%s works", new)
    return 0


def _counted(faults: dict[str, str], before: frozenset[str]) -> dict[str, str]:
    return {name: what for name, what in faults.items() if name in MUST_BE_GOOD or name not in before}


def _go_back(packages: Packages, box: Box, record: Record, before: str, new: str, faults: dict[str, str]) -> int:
    why = "; ".join(f"{name}: {what}" for name, what in faults.items())
    _log.error("%s does not work (%s); going back to %s", new, why, before)
    record.refuse(new, why)
    packages.install(packages.archive(before))
    box.restart()  # it reads why it is back, and tells the hospital
    packages.keep_only(before)
    return 1
