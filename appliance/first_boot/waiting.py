"""The box before it is set up: it looks for devices and for its enrolment, and shows that it does."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from systemd.daemon import notify

from appliance.errors import NotSetUpError, RecordingError
from appliance.first_boot.found import keep
from appliance.settings import Settings, found_file, known_values, load_settings
from appliance.watchdog import WATCHDOG
from hal.detect import Found, find_devices
from hal.errors import HalError
from hal.registry import build_indicator
from hal.types import Cue

_log = logging.getLogger(__name__)

LOOK_S = 2.0


def set_up(
    file: Path | None, find: Callable[[], list[Found]] = find_devices, look_s: float = LOOK_S
) -> Settings | None:
    """Settings that are complete, as soon as they are; None where the box is stopped before.

    find: for tests. Raises `SettingsError` for settings that are wrong, not merely incomplete.
    """
    ending = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        ending.set()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        return _until_set_up(file, find, ending, look_s)
    finally:
        signal.signal(signal.SIGTERM, before)


def _until_set_up(
    file: Path | None, find: Callable[[], list[Found]], ending: threading.Event, look_s: float
) -> Settings | None:
    WATCHDOG.start()
    told = ""
    with WATCHDOG.watched("set-up") as alive, ExitStack() as shown:
        while not ending.is_set():
            alive(look_s)
            changed = _look(file, find)
            try:
                return load_settings(file)
            except NotSetUpError as missing:
                if changed or str(missing) != told:
                    told = str(missing)
                    _tell(told)
                    shown.close()
                    shown.enter_context(_showing(file))
            ending.wait(look_s)
    return None


def _look(file: Path | None, find: Callable[[], list[Found]]) -> bool:
    """Whether anything was found that is not known yet."""
    found = find()
    try:
        changed = keep(found_file(known_values(file)), found)
    except RecordingError as error:
        _log.error("what was found is not remembered: %s", error)
        return False
    if changed:
        for one in found:
            _log.info("found: %s at %s", one.kind, one.where)
    return changed


def _tell(missing: str) -> None:
    """A box that waits has started: systemd is told so, and what for."""
    _log.warning("not set up yet: %s", missing)
    with suppress(OSError):
        notify(f"READY=1\nSTATUS=not set up yet: {missing}")


@contextmanager
def _showing(file: Path | None) -> Iterator[None]:
    """Light and loudspeaker say so, where they are known already."""
    with ExitStack() as opened:
        try:
            indicator = build_indicator(known_values(file).get("indicator", {"driver": "silent"}))
            indicator.open()
            opened.callback(indicator.close)
            indicator.show(Cue("setup"))
        except HalError as error:
            _log.warning("%s", error)
        yield
