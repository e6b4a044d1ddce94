"""The clocks of a box under test: its wall clock set wrong, or time passing for it without anybody waiting."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path


class Clock:
    """environment: in which a process has it; see clock.c. Needs gcc. folder: for its files."""

    def __init__(self, folder: Path) -> None:
        library, self._file = folder / "clock.so", folder / "clock"
        self._file.write_bytes(bytes(16))
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._file)}

    def set_wrong(self, offset_s: float) -> None:
        """The wall clock, against what it should be."""
        self._write(0, round(offset_s * 1e9))

    @property
    def passed_s(self) -> float:
        """Beyond what really passed."""
        return float(struct.unpack_from("q", self._file.read_bytes(), 8)[0]) / 1e9

    def let_pass(self, seconds: float) -> None:
        """At once."""
        self._write(8, round((self.passed_s + seconds) * 1e9))

    def _write(self, at: int, ns: int) -> None:
        with self._file.open("r+b") as stream:
            stream.seek(at)
            stream.write(struct.pack("q", ns))
