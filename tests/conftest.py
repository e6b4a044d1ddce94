"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings, which are not part of the project."""
    folder = os.environ.get("REHABBOX_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the real recordings: set REHABBOX_DATA to their folder")
    return Path(folder)
