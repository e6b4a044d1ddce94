"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.hospital.throwaway import ThrowawayBroker


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings, which are not part of the project."""
    folder = os.environ.get("REHABBOX_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the real recordings: set REHABBOX_DATA to their folder")
    return Path(folder)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ThrowawayBroker]:
    """A real mosquitto of this test's own, listening; `broker.settings_for("box-1")` is how to reach it."""
    with ThrowawayBroker(tmp_path / "broker") as running:
        yield running
