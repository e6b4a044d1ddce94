"""Files and messages that are read as a whole: recordings, prescriptions."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mcap.writer import CompressionType, Writer

import samples
from appliance.errors import RecordingError, RefusedError
from appliance.messages.prescription import parse_prescription
from appliance.recording.finerehab_json import read_finerehab
from appliance.recording.imu_csv import read_imu_csv
from appliance.recording.mcap_topics import TopicWriter
from appliance.recording.session_reader import read_session
from appliance.recording.skeleton_csv import read_skeleton_csv
from appliance.skeleton.bvh import read_bvh
from appliance.skeleton.standard import Recording
from breaking import broken, check_told

Feed = Callable[[], None]


def check(recording: Recording) -> None:
    """What every recording that is read must keep to."""
    assert len(recording) > 0
    assert (np.diff(recording.times) > 0).all()
    assert np.isfinite(recording.times).all()
    assert np.isfinite(recording.positions[recording.confidence > 0]).all()


def from_file(read: Callable[[Path], None], name: str, content: Callable[[], bytes]) -> Feed:
    """Writes `content` to a file in the working folder, always the same one, and reads it back."""
    path = Path(name)

    def feed() -> None:
        path.write_bytes(content())
        try:
            read(path)
        except RecordingError as error:
            check_told(error, f"{path}: ")

    return feed


def _csv(chance: random.Random, read: Callable[[Path], None], whole: bytes, name: str) -> Feed:
    zipped = gzip.compress(whole, 1)

    def content() -> bytes:
        kind = chance.randrange(4)
        if kind == 0:
            return broken(chance, zipped, whole)
        data = broken(chance, whole, whole, weak=[(0, 200)])
        return gzip.compress(data, 1) if kind == 1 else data

    return from_file(read, name, content)


def skeleton_csv(chance: random.Random) -> Feed:
    """Skeletons as CSV, plain and gzip."""
    return _csv(chance, lambda path: check(read_skeleton_csv(path)), samples.skeleton(), "skeleton.csv")


def imu_csv(chance: random.Random) -> Feed:
    """One sensor as CSV, plain and gzip."""

    def read(path: Path) -> None:
        imu = read_imu_csv(path)
        assert (np.diff(imu.times) > 0).all()
        assert np.isfinite(imu.angular_velocity).all()

    return _csv(chance, read, samples.imu(), "imu.csv")


def bvh_file(chance: random.Random) -> Feed:
    """Motion files."""
    whole = samples.bvh()
    weak = [(0, 300), (whole.index(b"MOTION"), whole.index(b"MOTION") + 60)]
    return from_file(lambda path: check(read_bvh(path)), "motion.bvh", lambda: broken(chance, whole, whole, weak))


def finerehab(chance: random.Random) -> Feed:
    """One cut as FineRehab-style JSON."""
    whole = samples.finerehab()

    def read(path: Path) -> None:
        cut = read_finerehab(path)
        check(cut.recording)
        assert all(turns.shape == (len(cut.recording), 4) for turns in cut.sensors.values())

    return from_file(read, "cut.json", lambda: broken(chance, whole, whole, weak=[(0, 600)]))


def session(chance: random.Random) -> Feed:
    """Session files: finished and cut short, with broken bytes anywhere, or with broken messages in sound records."""
    finished, unfinished = samples.session()
    metadata, messages = samples.session_messages(unfinished)

    def rewritten() -> bytes:
        file = io.BytesIO()
        packed = chance.random() < 0.5
        topics = TopicWriter(Writer(file, use_chunking=packed, compression=CompressionType.ZSTD))
        topics.begin({name: broken(chance, text.encode()).decode("utf-8", "replace") if chance.random() < 0.05 else text
                      for name, text in metadata.items()})  # fmt: skip
        for topic, data in messages:
            topics.add(topic, 0, broken(chance, data) if chance.random() < 0.3 else data)
        topics.writer.finish()
        return file.getvalue()

    def content() -> bytes:
        if chance.random() < 0.4:
            return rewritten()
        whole, other = chance.choice(((finished, unfinished), (unfinished, finished), (unfinished, unfinished)))
        return broken(chance, whole, other, weak=[(0, 600)])

    def read(path: Path) -> None:
        recorded = read_session(path)
        if recorded.skeleton is not None:
            check(recorded.skeleton)
            assert len(recorded.skeleton) == len(recorded.stamp_ns) == len(recorded.host_ns)
        for stream in recorded.imu.values():
            assert len(stream.counter) == len(stream.acceleration) == len(stream.orientation)

    return from_file(read, "session.mcap", content)


def prescription(chance: random.Random) -> Feed:
    """What the hospital sends."""
    whole = json.dumps(samples.PRESCRIPTION).encode()

    def feed() -> None:
        try:
            read = parse_prescription(broken(chance, whole, whole))
        except RefusedError as error:
            check_told(error, "prescription")
        else:
            assert read.exercises
            assert read.issued < read.expires

    return feed
