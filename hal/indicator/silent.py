"""An indicator for a box without light and voice: what it would say goes to the log."""

from __future__ import annotations

import logging
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from hal.types import Cue, DeviceInfo

_log = logging.getLogger(__name__)


class SilentIndicator:
    """Logs every cue at level INFO; patients neither see nor hear anything."""

    capabilities: ClassVar[tuple[str, ...]] = ("log",)

    class Options(BaseModel):
        """None."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, options: Options) -> None:
        self._options = options

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("silent", "no indicator", 0.0)

    def open(self) -> None:
        """Nothing to connect to."""

    def close(self) -> None:
        """Nothing to release."""

    def show(self, cue: Cue) -> None:
        told = (cue.kind, cue.hint, cue.exercise, cue.side, f"{cue.repetitions} repetitions" if cue.repetitions else "")
        _log.info("cue: %s", " ".join(part for part in told if part))
