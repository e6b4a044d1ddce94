"""A session file while it is being recorded: a power cut loses less than its last second, whenever it comes."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import numpy as np
from mcap.writer import Writer
from numpy.typing import NDArray

from appliance.errors import RecordingError
from appliance.fusion.views import ViewPlacement
from appliance.recording.disk import sync_folder
from appliance.recording.mcap_topics import TopicWriter
from appliance.recording.session_finishing import finish_session, unfinished
from appliance.recording.session_format import (
    EVENTS_TOPIC,
    FINISHED,
    IMU_TOPIC,
    PLACEMENT_TOPIC,
    SECOND_SKELETON_TOPIC,
    SKELETON_TOPIC,
    Detail,
    SessionEvent,
    SessionMetadata,
    SkeletonFrame,
    metadata_record,
)
from appliance.recording.session_messages import event_message, imu_message, placement_message, skeleton_message
from hal.types import ImuSample

SYNC_S = 0.5
"""From one wait for the disk to the next, however long it took. Half of the promised second: the other half is the
disk's."""


class SessionWriter:
    """Records one exercise into `<path>.part`, plain records as they come; `finish` turns that into `path`.

    Any thread may call any method. What is added reaches the disk within SYNC_S by a thread of the writer's own, so
    that no caller ever waits for the disk. Once the disk refuses (full), every further call raises `RecordingError`,
    and `close` only lets go of the file; what was written stays, readable by `read_session`.
    """

    def __init__(self, path: Path, part: Path, file: io.BufferedWriter) -> None:
        """Use `open`."""
        self._path, self._part, self._file = path, part, file
        self._topics = TopicWriter(Writer(file, use_chunking=False))
        self._lock = threading.Lock()
        self._imu: dict[str, list[ImuSample]] = {}
        self._last_ns = 0
        self._error: OSError | None = None
        self._closing = threading.Event()
        self._syncing = threading.Thread(target=self._sync_now_and_then, name="session-file", daemon=True)

    @classmethod
    def open(cls, path: Path, metadata: SessionMetadata) -> SessionWriter:
        """Begin a file. Raises `RecordingError` where the disk refuses or `path` was recorded or begun before."""
        part = unfinished(path)
        if path.exists() or part.exists():
            raise RecordingError(f"{path}: this exercise has been recorded already; move the file away to record again")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("xb")
        except OSError as error:
            raise RecordingError(f"{path}: cannot be written: {error.strerror}") from None
        writer = cls(path, part, file)
        writer._topics.begin(metadata_record(metadata))
        writer._sync()
        sync_folder(path.parent)
        writer._syncing.start()
        return writer

    def add_skeleton(
        self,
        stamp_ns: int,
        host_ns: int,
        positions: NDArray[np.float64],
        confidence: NDArray[np.float64],
        *,
        second: bool = False,
    ) -> None:
        """One frame. positions: (17, 3) metres, NaN where not seen; confidence: (17,) in 0..1. second: whose."""
        frame = SkeletonFrame(stamp_ns, host_ns, positions, confidence)
        self._add(SECOND_SKELETON_TOPIC if second else SKELETON_TOPIC, host_ns, skeleton_message(frame))

    def add_placement(self, host_ns: int, placement: ViewPlacement | None) -> None:
        """Where the second camera stands to the first, for the whole file; the last one counts."""
        self._add(PLACEMENT_TOPIC, host_ns, placement_message(host_ns, placement))

    def add_imu(self, samples: Sequence[ImuSample]) -> None:
        """Samples of any sensors; each sensor's must be in order. They are written in batches of SYNC_S."""
        with self._lock:
            self._check()
            for sample in samples:
                self._imu.setdefault(sample.segment, []).append(sample)

    def add_event(self, host_ns: int, kind: str, detail: Detail | None = None) -> None:
        """A change of state, or a cue."""
        self._add(EVENTS_TOPIC, host_ns, event_message(SessionEvent(host_ns, kind, detail or {})))

    def finish(self) -> Path:
        """Write the last of it, and put the finished file at `path`: compressed, indexed, whole. Returns `path`.

        Raises `RecordingError` where the disk refuses; the unfinished file then stays for `finish_session`.
        """
        with self._lock:
            self._drain_imu()
            self._write(EVENTS_TOPIC, self._last_ns, event_message(SessionEvent(self._last_ns, FINISHED, {})))
        self.close()
        self._check()
        return finish_session(self._part)

    def close(self) -> None:
        """Stop here and leave the unfinished file, with all that was added on the disk if it takes it."""
        self._closing.set()
        self._syncing.join()
        self._sync()
        with contextlib.suppress(OSError):  # _sync has kept it
            self._file.close()

    def _add(self, topic: str, host_ns: int, message: bytes) -> None:
        with self._lock:
            self._check()
            self._write(topic, host_ns, message)
            self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise RecordingError(
                f"{self._path}: cannot be written: {self._error.strerror}; "
                f"what was recorded until then is in {self._part.name}"
            )

    def _write(self, topic: str, host_ns: int, message: bytes) -> None:
        if self._error is not None:
            return
        self._last_ns = max(self._last_ns, host_ns)
        try:
            self._topics.add(topic, max(host_ns, 0), message)
        except OSError as error:
            self._error = error

    def _drain_imu(self) -> None:
        drained, self._imu = self._imu, {}
        for segment, samples in drained.items():
            self._write(IMU_TOPIC + segment, samples[0].arrival_ns, imu_message(samples))

    def _sync_now_and_then(self) -> None:
        pause_s = SYNC_S
        while not self._closing.wait(pause_s):
            began_s = monotonic()
            self._sync()
            pause_s = max(0.0, SYNC_S - (monotonic() - began_s))

    def _sync(self) -> None:
        """Bring all that was added onto the disk; only taking it out of memory holds up the callers."""
        try:
            with self._lock:
                if self._error is not None or self._file.closed:
                    return
                self._drain_imu()
                self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._error = error
