"""Other programmes' dynamic time warping, at its fastest: one thread, distance and path within a band."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Aligning = Callable[[], object]
"""Aligns the two recordings it was made for."""


def installed_peers() -> Mapping[str, Callable[[Floats, Floats, int], Aligning]]:
    """Those of the extra `bench` that are there. Each takes two (frames, dimensions) float64 of equal length and the
    band's half width in frames, and brings both into the form it likes best."""
    ways = {"tslearn": _tslearn, "aeon": _aeon, "dtaidistance": _dtaidistance, "dtw-python": _dtw_python}
    modules = {"tslearn": "tslearn.metrics", "aeon": "aeon.distances", "dtaidistance": "dtaidistance.dtw"}
    peers: dict[str, Callable[[Floats, Floats, int], Aligning]] = {}
    for name, way in ways.items():
        # dtw-python greets whoever imports it.
        with contextlib.suppress(ImportError), contextlib.redirect_stdout(io.StringIO()):
            peers[name] = partial(way, import_module(modules.get(name, "dtw")))
    return peers


def _tslearn(metrics: Any, a: Floats, b: Floats, width: int) -> Aligning:
    return partial(metrics.dtw_path, a, b, global_constraint="sakoe_chiba", sakoe_chiba_radius=width)


def _aeon(distances: Any, a: Floats, b: Floats, width: int) -> Aligning:
    channels_first = (np.ascontiguousarray(x.T) for x in (a, b))
    return partial(distances.dtw_alignment_path, *channels_first, window=width / len(a))


def _dtaidistance(dtw: Any, a: Floats, b: Floats, width: int) -> Aligning:
    # Its window counts the diagonal.
    return partial(dtw.warping_path_fast, a, b, window=width + 1, include_distance=True)


def _dtw_python(dtw: Any, a: Floats, b: Floats, width: int) -> Aligning:
    return partial(dtw.dtw, a, b, window_type="sakoechiba", window_args={"window_size": width})
