"""Several indicators as one: a light and a loudspeaker, say."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hal.errors import DeviceLostError, DeviceNotFoundError, HalError
from hal.registry import build_indicator, driver_options
from hal.types import Cue, DeviceInfo

_log = logging.getLogger(__name__)


class CombinedIndicator:
    """Every part shows every cue; one that fails does not keep the others from it."""

    capabilities: ClassVar[tuple[str, ...]] = ("several indicators at once",)

    class Options(BaseModel):
        """`parts`: tables as `[indicator]` is one, each with `driver` and that driver's options."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        parts: tuple[dict[str, Any], ...] = Field(min_length=1)

        @field_validator("parts")
        @classmethod
        def _known(cls, parts: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
            for part in parts:
                try:
                    driver_options("indicator", part)
                except HalError as error:
                    raise ValueError(str(error)) from None
            return parts

    def __init__(self, options: Options) -> None:
        self._parts = [build_indicator(part) for part in options.parts]
        self._missing: dict[int, HalError] = {}
        self._open = False

    @property
    def info(self) -> DeviceInfo:
        infos = [part.info for part in self._parts]
        name = " + ".join(f"{info.driver} {info.name}" for info in infos)
        return DeviceInfo("combined", name, 0.0, synthetic=all(info.synthetic for info in infos))

    def open(self) -> None:
        """Raises `DeviceNotFoundError` where no part can be opened; `show` tells of one that could not."""
        self.close()
        for index, part in enumerate(self._parts):
            try:
                part.open()
            except HalError as error:
                _log.warning("%s", error)
                self._missing[index] = error
        if len(self._missing) == len(self._parts):
            reasons = "; ".join(map(str, self._missing.values()))
            self._missing.clear()
            raise DeviceNotFoundError(reasons)
        self._open = True

    def close(self) -> None:
        for part in self._parts:
            part.close()
        self._missing.clear()
        self._open = False

    def show(self, cue: Cue) -> None:
        """Raises `DeviceLostError` naming the parts that could not show it, after the others have."""
        if not self._open:
            raise DeviceLostError(f"{self.info.name}: not open; call open() before show()")
        for index, part in enumerate(self._parts):
            if index not in self._missing:
                try:
                    part.show(cue)
                except HalError as error:
                    self._missing[index] = error
        self._tell_missing()

    def show_anew(self, cue: Cue) -> None:
        """Opens the parts that could not show it, and shows it there; the others are left as they are. Raises alike."""
        if not self._open:
            self.open()
            self.show(cue)
            return
        for index in sorted(self._missing):
            part = self._parts[index]
            part.close()
            try:
                part.open()
                part.show(cue)
                del self._missing[index]
            except HalError as error:
                self._missing[index] = error
        self._tell_missing()

    def _tell_missing(self) -> None:
        if self._missing:
            raise DeviceLostError("; ".join(str(self._missing[index]) for index in sorted(self._missing)))
