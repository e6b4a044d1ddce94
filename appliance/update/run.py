"""One update: look, fetch, exchange, see whether all works, and go back where it does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from appliance.errors import RecordingError
from appliance.update.box import Box
from appliance.update.packages import Packages, UpdateError
from appliance.update.record import Record, Trial, Verdict
from appliance.update.wish import UpdateOutcome, Wish, Wishes

_log = logging.getLogger(__name__)


def _today() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds that pass, and what time it is; tests make their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], datetime] = _today


CLOCK = Clock()

GATE_S = 300.0
"""Camera, sensors, model and broker must be good within this time."""
LOOK_AGAIN_S = 10.0
SESSION_RUNS = 75
"""Exit status: try again later (EX_TEMPFAIL of sysexits.h); the unit does."""
MUST_BE_GOOD = ("daemon", "doctor", "model", "exercises")
"""Faults of the software alone: they count whatever was before. What was at fault before (sensors that lie in their box
at night) is no fault of the new version; all else must be as good as it was."""


def attend(
    packages: Packages, box: Box, record: Record, wishes: Wishes, gate_s: float = GATE_S, clock: Clock = CLOCK
) -> int:
    """One look, for what the hospital asks for or else for the newest version; an exit status, see `__main__`.

    What the hospital asked for is answered, unless a session runs. A power cut at any instant leads to the same end.
    """
    wish = wishes.take()
    if wish is not None and wish.expires <= clock.today() and not _is_begun(wish, record):
        _log.info("%s was to be installed until %s; it is not", wish.version, wish.expires.isoformat())
        late = f"it expired before {wish.version} could be installed: a session ran, or the box was off"
        wishes.fulfil(wish, UpdateOutcome(False, late, expired=True))
        return 0
    try:
        status, why = update(packages, box, record, wish, gate_s, clock), record.why
        works = wish is not None and status == 0 and packages.installed() == wish.version
    except (UpdateError, RecordingError, OSError) as error:
        _log.error("no update: %s", error)
        status, why, works = 1, str(error), False
    if wish is not None and status != SESSION_RUNS:
        other = "another version was installed in its place; ask again"
        what = f"{wish.version} is installed and works" if works else (why if status and why else other)
        wishes.fulfil(wish, UpdateOutcome(works, what))
    return status


def update(
    packages: Packages, box: Box, record: Record, wish: Wish | None, gate_s: float = GATE_S, clock: Clock = CLOCK
) -> int:
    """An exit status. Without a wish: the newest version, unless it failed before.

    Raises `UpdateError` where nothing was begun, or nothing helps; `RecordingError`, `OSError`.
    """
    if not packages.named:
        _log.info("the hospital has named no package source")
        return 0
    with box.reserve() as free:
        if not free:
            _log.info("a session is running; the update waits until it is over")
            return SESSION_RUNS
        if record.trial is not None:  # a power cut came before the verdict
            _after_power_cut(packages, record)
        else:
            packages.repair()
        if (trial := record.trial) is not None:
            status = _finish(packages, box, record, trial, gate_s, clock)
            if wish is None or wish.command == trial.command:
                return status
        verdict = record.verdict
        if wish is not None and verdict is not None and verdict.command == wish.command:  # it only was not told
            return 0 if verdict.why is None else 1
        trial = _begin(packages, box, record, wish)
        return 0 if trial is None else _finish(packages, box, record, trial, gate_s, clock)


def _is_begun(wish: Wish, record: Record) -> bool:
    entry = record.trial or record.verdict
    return entry is not None and entry.command == wish.command


def _after_power_cut(packages: Packages, record: Record) -> None:
    trial = record.trial
    assert trial is not None
    try:
        packages.repair()
    except UpdateError as error:
        _log.error("%s; it is installed again", error)
    if packages.installed() not in (None, trial.before, trial.new):
        _log.info("another version than %s was installed meanwhile, by hand", trial.new)
        record.forget()


def _begin(packages: Packages, box: Box, record: Record, wish: Wish | None) -> Trial | None:
    """What is to be tried, written down, when all that it and the way back need is on disk; None: nothing."""
    before = packages.installed()
    if before is None:
        raise UpdateError("the package is not wholly installed; install it by hand: apt install --reinstall FILE.deb")
    if wish is not None and wish.version == before:
        _log.info("%s is installed", before)
        return None
    packages.refresh()
    new = packages.candidate(wish.version if wish else None)
    if wish is not None and new is None:
        raise UpdateError(f"{wish.version} is not newer than {before}, or not in the hospital's package source")
    refused = record.verdict is not None and record.verdict.why is not None and record.verdict.version == new
    if new is None or (wish is None and refused):
        _log.info("%s is installed%s", before, f"; {new} was tried and refused" if new else " and the newest")
        return None
    packages.archive(before)
    packages.archive(new)
    trial = Trial(before, new, frozenset(box.faults()), wish.command if wish else None)
    _log.info("updating from %s to %s", before, new)
    record.begin(trial)
    return trial


def _finish(packages: Packages, box: Box, record: Record, trial: Trial, gate_s: float, clock: Clock) -> int:
    """Wherever it stands: each step finds out whether it was done before a power cut."""
    why = trial.why or _what_is_wrong(packages, box, trial, gate_s, clock)
    if why is None:
        record.end(Verdict(trial.new, trial.command, None))
        packages.keep_only(trial.before, trial.new)
        _log.info("%s works", trial.new)
        return 0
    _log.error("%s does not work (%s); going back to %s", trial.new, why, trial.before)
    record.begin(replace(trial, why=why))
    if packages.installed() != trial.before:
        packages.install(packages.archive(trial.before))
    record.end(Verdict(trial.new, trial.command, why))
    packages.keep_only(trial.before)
    box.restart()  # it reads why it is back, and tells the hospital
    return 1


def _what_is_wrong(packages: Packages, box: Box, trial: Trial, gate_s: float, clock: Clock) -> str | None:
    """With the new version, installed if it is not; None: it works."""
    if packages.installed() != trial.new:
        try:
            packages.install(packages.archive(trial.new))
        except UpdateError as error:
            return f"installation: {error}"
    deadline_s = clock.now() + gate_s
    while counted := _counted(box.faults(), trial.faults):
        if clock.now() + LOOK_AGAIN_S > deadline_s:
            return "; ".join(f"{name}: {what}" for name, what in counted.items())
        clock.sleep(LOOK_AGAIN_S)
    return None


def _counted(faults: dict[str, str], before: frozenset[str]) -> dict[str, str]:
    return {name: what for name, what in faults.items() if name in MUST_BE_GOOD or name not in before}
