"""The tones of a signal as sound."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hal.indicator.signals import Signal

RATE_HZ = 22_050
GAP_S = 0.06
_RAMP_S = 0.01
"""A tone that begins or ends at once clicks."""
_OCTAVE = 0.3
"""Share of the octave above: small loudspeakers give little at 220 Hz."""


def tones(signal: Signal, volume: float) -> NDArray[np.int16]:
    """(samples,) at `RATE_HZ`; volume 0..1 of full scale."""
    parts = [np.zeros(round(GAP_S * RATE_HZ))]
    for frequency, duration_s in signal.tones:
        at = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
        wave_ = np.sin(2 * np.pi * frequency * at) + _OCTAVE * np.sin(4 * np.pi * frequency * at)
        ramp = np.clip(np.minimum(at, at[-1] - at) / _RAMP_S, 0.0, 1.0)
        parts += [wave_ / (1 + _OCTAVE) * ramp, np.zeros(round(GAP_S * RATE_HZ))]
    return np.asarray(np.round(np.concatenate(parts) * volume * 32767), np.int16)


def write_wav(file: Path, samples: NDArray[np.int16]) -> None:
    """One channel at `RATE_HZ`."""
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(samples.astype("<i2").tobytes())
