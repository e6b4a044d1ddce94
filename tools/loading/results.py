"""Results of real size: one that `rehabbox demo` made, lengthened to a set of ten repetitions that was judged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import get_args
from uuid import UUID

from appliance.fhir.observation import observation_of
from appliance.hospital.outbox_rows import Outgoing
from appliance.messages.health import DeviceHealth, Health
from appliance.messages.model import encode
from appliance.messages.result import FineRehab, Quality, Repetition, RepetitionQuality, Result
from appliance.messages.topics import Topics
from appliance.quality.parts import BodyPart, Dimension

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
BODY_PARTS: tuple[BodyPart, ...] = get_args(BodyPart)
REPETITIONS = 10
_DIGEST = "sha256:" + "7" * 64


class Results:
    """Each with an id and figures of its own, by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311
        made = Result.model_validate_json(Path(__file__).with_name("result.json").read_bytes())
        versions = made.versions.model_copy(update={"model": "quality-1", "weights": _DIGEST, "levels": _DIGEST})
        self._made = made.model_copy(update={"versions": versions})
        _, payload = self.make("box-0000", 1)
        self._fhir = encode(observation_of(Result.model_validate_json(payload)))

    def make(self, box: str, sequence: int) -> tuple[UUID, bytes]:
        """The result's id and the payload, about 8 kB."""
        result_id = UUID(int=self._random.getrandbits(128), version=4)
        now = datetime.now(UTC)
        figure = self._random.random
        judged = tuple(
            RepetitionQuality(quality=figure(), level=self._random.randrange(5), movement="squat")
            for _ in range(REPETITIONS)
        )
        changes = {
            "id": result_id,
            "sequence": sequence,
            "box": box,
            "started": now,
            "ended": now,
            "repetitions": tuple(self._repetition(number) for number in range(REPETITIONS)),
            "score": self._made.score.model_copy(update={"pose_dissimilarity": figure()}),
            "quality": Quality(quality=figure(), level=1, movement="squat", sure=True, repetitions=judged),
            "fine_rehab": FineRehab(
                score=4 * figure(),
                dimensions={dimension: 4 * figure() for dimension in DIMENSIONS},
                grades={dimension: {part: 4 * figure() for part in BODY_PARTS} for dimension in DIMENSIONS},
                level="average",
                no_level=None,
            ),
        }
        return result_id, encode(self._made.model_copy(update=changes))

    def messages(self, topics: Topics, payload: bytes) -> list[Outgoing]:
        """What goes out for a result. Its FHIR twin is always the same: to make one takes a box longer than to send it,
        and thousands of boxes have as many processors."""
        return [Outgoing(topics.result("squat"), payload), Outgoing(topics.fhir("squat"), self._fhir)]

    def _repetition(self, number: int) -> Repetition:
        figure = self._random.random
        return Repetition(
            start_s=3.0 * number + figure(),
            reverse_s=3.0 * number + 1.0 + figure(),
            end_s=3.0 * number + 2.0 + figure(),
            complete=True,
            pose_dissimilarity=figure(),
            dynamics_dissimilarity=figure() - 0.5,
        )


def health(box: str) -> bytes:
    """Of a box with a camera, 17 sensors and a loudspeaker."""
    device = DeviceHealth(
        driver="synthetic",
        name="Azure Kinect DK 000123456789",
        state="ok",
        error=None,
        rate_hz=29.97,
        expected_hz=30.0,
        received=123_456,
        lost=3,
        interruptions=1,
        attempts=2,
        away_s=4.2,
        counters={"dropped": 2, "bad_checksums": 1},
        silent=("left_hand",),
        battery_percent={f"sensor {number}": 80 for number in range(17)},
        sync_error_ms=1.25,
    )
    devices = {"camera": device, "imu": device, "indicator": device}
    return encode(
        Health(
            box=box,
            at=datetime.now(UTC),
            uptime_s=86_400.0,
            devices=devices,
            disk_free_bytes=1 << 36,
            disk_bytes=1 << 38,
            temperature_c=51.5,
            queued=0,
            oldest_unsent=None,
            delivered=1234,
        )
    )
