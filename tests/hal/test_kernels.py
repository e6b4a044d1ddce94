"""Cameras run where nothing can be written, too."""

from __future__ import annotations

import subprocess
import sys

PROGRAMME = """
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []  # what a read-only system without a home amounts to
from hal.kernels import kernel

@kernel
def doubled(value):
    return 2 * value

print(doubled(21))
"""


def test_without_a_place_for_compiled_code_it_is_compiled_each_time() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAMME], capture_output=True, text=True)
    assert done.stdout.strip() == "42", done.stderr
