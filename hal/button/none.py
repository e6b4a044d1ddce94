"""No button: a box can be stopped by a raised hand alone."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from hal.types import DeviceInfo


class NoButton:
    """Nobody ever presses it."""

    capabilities: ClassVar[tuple[str, ...]] = ()

    class Options(BaseModel):
        """None."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, options: Options) -> None:
        self._options = options

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("none", "no button", 0.0)

    def open(self) -> None:
        """Nothing to connect to."""

    def close(self) -> None:
        """Nothing to release."""

    def presses(self) -> int:
        return 0
