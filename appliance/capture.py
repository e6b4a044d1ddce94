"""Cameras with their pose networks, and IMUs, of one set, each on a thread of its own, into one bounded queue.

Data flows one way: device -> (pose) -> standard skeleton -> queue. A full queue makes the device's thread wait; what
the device loses meanwhile shows as gaps in its own counters, which is where losses are counted.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Literal

from appliance.devices import Eye
from appliance.journal import DEVICE_THREAD
from appliance.pose import skeleton_in
from appliance.track import CameraRole, Skeleton
from appliance.watchdog import WATCHDOG
from hal.errors import DeviceLostError, HalError, StreamEndedError
from hal.protocols import ImuSet
from hal.types import Frame, ImuSample

log = logging.getLogger(__name__)

POLL_S = 0.2
QUEUED = 256


Device = CameraRole | Literal["imu"]


@dataclass(frozen=True, slots=True)
class Ended:
    """A device gives no more: its recording ended, or (with an error) it was lost, and may come back."""

    device: Device
    error: HalError | None


Item = Skeleton | Sequence[ImuSample] | Ended


class Capture:
    """Opens the devices of one set and delivers what they saw, in order of arrival; a context manager.

    Where no camera can be opened it raises here. Any other device that is lost is reported as `Ended`, and the set goes
    on without it.
    """

    def __init__(
        self,
        eyes: Mapping[CameraRole, Eye],
        imu: ImuSet | None,
        on_frame: Callable[[CameraRole, Frame], None] = lambda role, frame: None,
    ) -> None:
        """eyes: in the order in which their cameras are to be started. on_frame: called in the camera's thread."""
        self._eyes, self._imu, self._on_frame = eyes, imu, on_frame
        self._queue: queue.Queue[Item] = queue.Queue(QUEUED)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Capture:
        with contextlib.ExitStack() as opened:
            lost: dict[CameraRole, HalError] = {}
            for role, eye in self._eyes.items():
                eye.pose.open()
                opened.callback(eye.pose.close)
                opened.callback(eye.camera.close)
                try:
                    eye.camera.open()
                except HalError as error:
                    lost[role] = error
            if len(lost) == len(self._eyes):
                raise next(iter(lost.values()))
            self._open = opened.pop_all()
        for role, why in lost.items():
            log.warning("%s: %s", role, why)
            self._put(Ended(role, why))
        for role, eye in self._eyes.items():
            if isinstance(lost.get(role), DeviceLostError | None):  # who was lost may come back while it is read
                self._start(role, partial(self._watch_camera, role, eye))
        if self._imu is not None:
            self._start("imu", self._watch_imu)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._open.close()

    def next(self, timeout_s: float) -> Item | None:
        """The oldest item waiting, or None if nothing came in time."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _start(self, device: Device, watch: Callable[[], None]) -> None:
        def work() -> None:
            try:
                watch()
            except StreamEndedError:
                self._put(Ended(device, None))
            except HalError as error:
                log.warning("%s: %s", device, error)
                self._put(Ended(device, error))
            except Exception as error:
                log.exception("%s: the driver failed", device)
                self._put(Ended(device, HalError(f"the driver failed: {error!r}")))

        thread = threading.Thread(target=work, name=f"{DEVICE_THREAD}{device}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _put(self, item: Item) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=POLL_S)
                return

    def _watch_camera(self, role: CameraRole, eye: Eye) -> None:
        def look() -> bool:
            frame = eye.camera.read(POLL_S)
            if frame is None:
                return False
            self._on_frame(role, frame)
            self._put(skeleton_in(frame, eye.pose, role))
            return True

        self._read_on(role, look)

    def _watch_imu(self) -> None:
        assert self._imu is not None
        imu = self._imu

        def listen() -> bool:
            samples = imu.read(POLL_S)
            if samples:
                self._put(samples)
            return bool(samples)

        try:
            imu.open()
            self._read_on("imu", listen)
        finally:
            imu.close()

    def _read_on(self, device: Device, read: Callable[[], bool]) -> None:
        """A loss is told once and the device read on: it may come back. read: whether it gave anything."""
        told = False
        with WATCHDOG.watched(device) as alive:
            while not self._stopping.is_set():
                alive()
                try:
                    told = not read() and told
                except DeviceLostError as error:
                    if not told:
                        log.warning("%s: %s", device, error)
                        self._put(Ended(device, error))
                    told = True
                    self._stopping.wait(POLL_S)
