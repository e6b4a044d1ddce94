"""How much a signal trembles, and how much of that is the camera's noise (ours)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from appliance.scoring.body import RATE_HZ, Floats

_WINDOW, _HOP = 32, 8
"""Frames: about a second, four times a second."""
_HERTZ = np.fft.rfftfreq(_WINDOW, 1.0 / RATE_HZ)
_TREMBLING = (_HERTZ >= 2.8) & (_HERTZ <= 6.7)
"""The band of cerebellar and of Parkinson's tremor; what is meant is slower."""
_NOISY = _HERTZ >= 8.5
"""Where nobody moves: a camera's noise alone."""
_LEAST = 1e-3
_TIMES = np.linspace(-1.0, 1.0, _WINDOW)
_MEANT = np.linalg.qr(np.stack([np.ones(_WINDOW), _TIMES, _TIMES**2], axis=1))[0]
"""What is meant within a window is nearly a parabola."""


def shaking(signal: Floats) -> tuple[float, float]:
    """Logs of the amplitude in the band of tremor, and above it; signal: (frames,) at `RATE_HZ`, unsmoothed.

    Of the middle one of all windows: a joint that jumps once, or is lost for a moment, does not tremble.
    """
    if len(signal) < _WINDOW:
        signal = np.pad(signal, (0, _WINDOW - len(signal)), "edge")
    windows = sliding_window_view(signal, _WINDOW)[::_HOP]
    windows = windows - windows @ _MEANT @ _MEANT.T
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2 / _WINDOW
    tremor, noise = (float(np.median(power[:, band].mean(axis=1))) for band in (_TREMBLING, _NOISY))
    return float(np.log(np.sqrt(tremor) + _LEAST)), float(np.log(np.sqrt(noise) + _LEAST))
