"""A loudspeaker of ALSA, by the programme `aplay` of alsa-utils.

A process and not a library of ours: it can be ended in the middle of a tone or when the sound device hangs, it knows
every device name that ALSA does, and the daemon itself holds nothing that could open a microphone.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.indicator.prompts import prompt_files
from hal.indicator.signals import SIGNALS, signal_name
from hal.indicator.tones import RATE_HZ, tones, write_wav
from hal.types import Cue, DeviceInfo

LONGEST_S = 30.0
"""No cue sounds for longer: a player that takes more has hung."""
_TRY_S = 3.0
"""For the trial at `open`, which plays a moment of silence."""


class SpeakerIndicator:
    """Each cue's tones, then its words where there is a file of them. A new cue ends the sound of the one before."""

    capabilities: ClassVar[tuple[str, ...]] = ("sound", "prompts")

    class Options(BaseModel):
        """`device`: a name of `aplay -L`. `prompts`: a folder of `<language>/<cue>.wav`; without it, no words."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        device: str = Field(default="default", min_length=1)
        volume: float = Field(default=0.5, gt=0, le=1)
        prompts: Path = Path("/usr/share/rehabbox/prompts")
        language: str = Field(default="en", pattern=r"^[A-Za-z-]{2,16}$")

    def __init__(self, options: Options) -> None:
        self._options = options
        self._changed = threading.Condition()
        self._next: Cue | None = None
        self._closing = False
        self._fault: str | None = None
        self._turn = 0
        self._playing: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("speaker", self._options.device, 0.0)

    def open(self) -> None:
        """Raises `DeviceNotFoundError` where `aplay` is not installed or the device takes no sound."""
        self.close()
        if shutil.which("aplay") is None:
            raise DeviceNotFoundError("speaker: aplay is not installed; on Debian: apt install alsa-utils")
        folder, language = self._options.prompts, self._options.language
        if folder.is_dir() and not (folder / language).is_dir():
            there = ", ".join(sorted(path.name for path in folder.iterdir())) or "none"
            raise DeviceNotFoundError(f"speaker: {folder} has no language {language!r}; there are: {there}")
        self._sounds = tempfile.TemporaryDirectory(prefix="rehabbox-sounds-")
        try:
            self._prepare(Path(self._sounds.name))
        except BaseException:
            self._sounds.cleanup()
            raise
        self._next, self._closing, self._fault = None, False, None
        self._thread = threading.Thread(target=self._speak, name="speaker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Silent at once."""
        if self._thread is None:
            return
        with self._changed:
            self._closing = True
            self._hush()
            self._changed.notify()
        self._thread.join()
        self._thread = None
        self._sounds.cleanup()

    def show(self, cue: Cue) -> None:
        """Returns at once. Raises `DeviceLostError` where it is not open or the cue before could not be played."""
        with self._changed:
            if self._thread is None:
                raise DeviceLostError(f"speaker {self._options.device}: not open; call open() before show()")
            if self._fault is not None:
                raise DeviceLostError(f"speaker {self._options.device}: {self._fault}")
            self._next = cue
            self._hush()
            self._changed.notify()

    def _prepare(self, folder: Path) -> None:
        for name, signal in SIGNALS.items():
            write_wav(folder / f"{name}.wav", tones(signal, self._options.volume))
        silence = folder / "silence.wav"
        write_wav(silence, np.zeros(RATE_HZ // 50, np.int16))
        try:
            tried = subprocess.run(self._command(silence), capture_output=True, timeout=_TRY_S)
        except subprocess.TimeoutExpired:
            raise DeviceNotFoundError(f"speaker {self._options.device}: takes no sound; is it in use?") from None
        if tried.returncode != 0:
            raise DeviceNotFoundError(f"speaker {self._options.device}: {_last_line(tried.stderr)}; see `aplay -L`")

    def _command(self, *files: Path) -> list[str]:
        return ["aplay", "--quiet", f"--device={self._options.device}", *map(str, files)]

    def _hush(self) -> None:
        if self._playing is not None:
            self._playing.kill()

    def _speak(self) -> None:
        """Thread: plays the newest cue, until closed or the device fails."""
        while self._fault is None:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._next is not None)
                cue, self._next = self._next, None
                if self._closing or cue is None:
                    return
                try:
                    process = self._playing = subprocess.Popen(
                        self._command(*self._files(cue)), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
                    )
                except OSError as error:
                    self._fault = f"aplay does not start: {error.strerror}"
                    return
            fault = _played(process)
            with self._changed:
                self._playing, self._fault = None, fault

    def _files(self, cue: Cue) -> list[Path]:
        """Called once a cue."""
        words = prompt_files(self._options.prompts, self._options.language, cue, self._turn)
        self._turn += 1
        return [Path(self._sounds.name) / f"{signal_name(cue)}.wav", *words]


def _played(process: subprocess.Popen[bytes]) -> str | None:
    """Waits for its end; what went wrong, or None, also where we ended it."""
    try:
        _, said = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"the sound did not end within {LONGEST_S:.0f} s"
    return _last_line(said) if process.returncode > 0 else None


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("aplay: ") if lines else "aplay failed and said nothing"
