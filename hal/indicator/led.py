"""A light of the kernel's LED class (kernel.org, Documentation/leds): `/sys/class/leds/<name>/`.

The blinking is done here and not by the kernel's `timer` trigger: the files that one adds belong to root whoever set
it, and it knows no double blink.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.indicator.signals import Colour, Signal, signal_of
from hal.types import Cue, DeviceInfo

DARK: Colour = (0.0, 0.0, 0.0)


class LedIndicator:
    """One LED. A multicolour one (`multi_intensity`) shows each cue's colour, any other one its rhythm only."""

    capabilities: ClassVar[tuple[str, ...]] = ("light",)

    class Options(BaseModel):
        """`name`: the LED's folder in `root`; `ls /sys/class/leds` shows them. `brightness`: share of its greatest."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        name: str = Field(pattern=r"^[^/]+$")
        brightness: float = Field(default=1.0, gt=0, le=1)
        root: Path = Path("/sys/class/leds")

    def __init__(self, options: Options) -> None:
        self._options = options
        self._folder = options.root / options.name
        self._changed = threading.Condition()
        self._signal: Signal | None = None
        self._closing = False
        self._fault: str | None = None
        self._thread: threading.Thread | None = None
        self._trigger = ""

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("led", self._options.name, 0.0)

    def open(self) -> None:
        """Takes the LED from whatever the kernel shows with it. Raises `DeviceNotFoundError`."""
        self.close()
        try:
            self._most = int(self._read("max_brightness"))
            multicolour = (self._folder / "multi_intensity").exists()
            self._colours = self._read("multi_index").split() if multicolour else []
            self._trigger = _selected(self._read("trigger"))
            self._write("trigger", "none")
            self._light(DARK)
        except FileNotFoundError:
            there = ", ".join(sorted(path.name for path in self._options.root.glob("*"))) or "none"
            raise DeviceNotFoundError(f"LED {self._folder}: there is no such LED; there are: {there}") from None
        except (OSError, ValueError) as error:
            raise DeviceNotFoundError(
                f"LED {self._folder}: {getattr(error, 'strerror', None) or error}; a udev rule must give the daemon's "
                "user its brightness, trigger and multi_intensity"
            ) from None
        self._signal, self._closing, self._fault = None, False, None
        self._thread = threading.Thread(target=self._blink, name=f"led {self._options.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Dark, and the kernel's again."""
        if self._thread is None:
            return
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._thread = None
        with suppress(OSError):  # it is gone, and dark with it
            self._light(DARK)
            self._write("trigger", self._trigger)

    def show(self, cue: Cue) -> None:
        """Returns at once. Raises `DeviceLostError` where the LED is not open or could not be written before."""
        with self._changed:
            if self._thread is None:
                raise DeviceLostError(f"LED {self._folder}: not open; call open() before show()")
            if self._fault is not None:
                raise DeviceLostError(f"LED {self._folder}: {self._fault}")
            self._signal = signal_of(cue)
            self._changed.notify()

    def _blink(self) -> None:
        """Thread: the signal's rhythm from its beginning whenever it is shown, until closed."""
        with self._changed:
            try:
                while not self._closing:
                    signal, self._signal = self._signal, None
                    if signal is None:
                        self._changed.wait()
                        continue
                    self._light(signal.colour)
                    for index, duration_s in cycle(enumerate(signal.rhythm)):
                        self._light(DARK if index % 2 else signal.colour)
                        if self._changed.wait_for(lambda: self._closing or self._signal is not None, duration_s):
                            break
            except OSError as error:
                self._fault = error.strerror or str(error)

    def _light(self, colour: Colour) -> None:
        if colour != DARK and self._colours:
            shares = dict(zip(("red", "green", "blue"), colour, strict=True))
            levels = [round(self._most * shares.get(name, 0.0)) for name in self._colours]
            self._write("multi_intensity", " ".join(map(str, levels)))
        level = max(1, round(self._most * self._options.brightness)) if colour != DARK else 0
        self._write("brightness", str(level))

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text("ascii").strip()

    def _write(self, name: str, text: str) -> None:
        """In one call and without creating the file, which is what the kernel expects."""
        file = os.open(self._folder / name, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(file, f"{text}\n".encode())
        finally:
            os.close(file)


def _selected(trigger: str) -> str:
    """Of the kernel's `[none] timer heartbeat`."""
    _, bracket, rest = trigger.partition("[")
    return rest.partition("]")[0] if bracket else "none"
