"""A button that is pressed by the clock."""

from __future__ import annotations

import time
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hal.errors import DeviceLostError
from hal.types import DeviceInfo


class SyntheticButton:
    """Pressed so many seconds after it was opened. Nobody decides to; see the virtual patient's hands for that."""

    capabilities: ClassVar[tuple[str, ...]] = ("synthetic",)

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        presses_s: Annotated[tuple[float, ...], Field(description="seconds after opening, in order")] = ()

    def __init__(self, options: Options) -> None:
        self._options = options
        self._opened_s: float | None = None
        self._told = 0

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("synthetic", "a button pressed by the clock", 0.0, synthetic=True)

    def open(self) -> None:
        self._opened_s, self._told = time.monotonic(), 0

    def close(self) -> None:
        self._opened_s = None

    def presses(self) -> int:
        if self._opened_s is None:
            raise DeviceLostError(f"{self.info.name}: not open; call open() before presses()")
        passed_s = time.monotonic() - self._opened_s
        new = sum(at_s <= passed_s for at_s in self._options.presses_s) - self._told
        self._told += new
        return new
