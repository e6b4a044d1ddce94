"""FineRehab's synchronisation, its equation (1), kept as a named method to compare with; the box does not use it.

f_n = f_cur - f_int: every device's stamps count from its own first one, are rounded to three decimals, and what has
equal stamps belongs together (FineRehab, CVPRW 2024). At 30 and 96 Hz two perfect clocks share six instants a second;
with jitter about one camera frame in ten survives, and that the devices did not start together is never noticed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def equal_stamps(
    first_s: NDArray[np.float64], second_s: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which stamps of each device, seconds of its own clock, in order, belong together: two index arrays of one length.

    Where several of a device's stamps round to one millisecond, the first counts.
    """
    _, first, second = np.intersect1d(_since_first_ms(first_s), _since_first_ms(second_s), return_indices=True)
    return first, second


def _since_first_ms(stamps_s: NDArray[np.float64]) -> NDArray[np.int64]:
    milliseconds: NDArray[np.float64] = np.round((stamps_s - stamps_s[:1]) * 1000.0)
    return milliseconds.astype(np.int64)
