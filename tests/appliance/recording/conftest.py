"""A session as a box would record it, for the tests of its file."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.recording.session_format import SessionMetadata, SkeletonFrame
from hal.types import ImuSample

SECOND_NS = 10**9


@pytest.fixture
def metadata() -> SessionMetadata:
    return SessionMetadata(
        session="0c5f7c1e-6d0b-4a57-9b7c-3f9f5a0f1c55",
        index=2,
        exercise="deep_squat",
        started="2026-11-22T10:15:00Z",
        software="0.1.0",
        side="left",
        reference="sha256:" + "ab" * 32,
        subject="p-17",
        camera="front",
        gravity="accelerometer",
        synthetic=True,
    )


@pytest.fixture
def frames() -> list[SkeletonFrame]:
    """Two seconds at 30 Hz, a joint hidden in a third of them."""
    rng = np.random.default_rng(3)
    made = []
    for index in range(60):
        positions, confidence = rng.normal(size=(17, 3)), rng.uniform(0.2, 1, 17)
        if index % 3 == 0:
            positions[10], confidence[10] = np.nan, 0
        stamp_ns = 7 * SECOND_NS + index * 33_333_333
        made.append(SkeletonFrame(stamp_ns, stamp_ns + 90 * SECOND_NS, positions, confidence))
    return made


@pytest.fixture
def samples() -> list[ImuSample]:
    """Two seconds of two sensors at 96 Hz; one of them gives no orientation."""
    rng = np.random.default_rng(4)
    made = []
    for counter in range(192):
        for segment in ("left_thigh", "head"):
            stamp_ns = counter * 10_416_667
            quaternion = rng.normal(size=4)
            made.append(
                ImuSample(
                    segment,
                    counter,
                    stamp_ns,
                    stamp_ns + 97 * SECOND_NS,
                    rng.normal(size=3) * 10,
                    rng.normal(size=3),
                    quaternion / np.linalg.norm(quaternion) if segment == "head" else None,
                )
            )
    return made
