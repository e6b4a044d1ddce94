"""Scoring runs where nothing can be written, too."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAMME = """
import numba.core.caching as caching
import numpy as np
caching.CacheImpl._locator_classes = []  # what a read-only system without a home amounts to
from appliance.scoring.alignment import align
print(align(np.array([[1.0, 0.0], [1.0, 0.0]]), 0, 0.01).cost)
"""


def test_without_a_place_for_compiled_code_it_is_compiled_each_time() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAMME], capture_output=True, text=True, env=os.environ.copy())
    assert done.stdout.strip() == "0.0", done.stderr
