"""A network whose outputs are known: it is int8 as the shipped one is, and repeats the first 83 features one after the
other: correct, same, level (4), grades (15 x 4), movement (17)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from appliance.quality.judgement import shipped_judge
from appliance.quality.relative import CHANNELS, FEATURES

KNOWN = Path(__file__).with_name("known.tflite")


@pytest.fixture
def described() -> Callable[..., dict[str, Any]]:
    """The description that belongs to it, with changes."""

    def describe(**changes: Any) -> dict[str, Any]:
        return {
            "version": "known 1",
            "sha256": sha256(KNOWN.read_bytes()).hexdigest(),
            "channels": CHANNELS,
            "features": FEATURES,
            "clip": 4.0,
            "sequence": {"mean": [0.0] * len(CHANNELS), "spread": [1.0] * len(CHANNELS)},
            "vector": {"mean": [0.0] * len(FEATURES), "spread": [1.0] * len(FEATURES)},
            "calibration": {"slope": 2.0, "offset": -1.0},
            "limits": {"same": -1.0, "strangeness": 1.5},
            "movements": [f"movement_{number}" for number in range(1, 17)],
        } | changes

    return describe


@pytest.fixture
def installed(tmp_path: Path, described: Callable[..., dict[str, Any]]) -> Path:
    """A folder of models."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "quality.tflite").write_bytes(KNOWN.read_bytes())
    (folder / "quality.json").write_text(json.dumps(described()))
    return folder


@pytest.fixture
def shipped(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same as if it had been shipped."""
    monkeypatch.setenv("REHABBOX_MODELS", str(installed))
    shipped_judge.cache_clear()
    yield installed
    shipped_judge.cache_clear()
