"""Camera, pose network and IMUs of one set, each on a thread of its own, into one bounded queue.

Data flows one way: device -> (pose) -> standard skeleton -> queue. A full queue makes the device's thread wait; what
the device loses meanwhile shows as gaps in its own counters, which is where losses are counted.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from appliance.pose import skeleton_in
from appliance.track import Skeleton
from hal.errors import DeviceLostError, HalError, StreamEndedError
from hal.protocols import Camera, ImuSet, PoseEstimator
from hal.types import ImuSample

log = logging.getLogger(__name__)

POLL_S = 0.2
QUEUED = 256


@dataclass(frozen=True, slots=True)
class Ended:
    """A device gives no more: its recording ended, or (with an error) it was lost."""

    device: str
    error: HalError | None


Item = Skeleton | Sequence[ImuSample] | Ended


class Capture:
    """Opens the devices of one set and delivers what they saw, in order of arrival; a context manager.

    A camera that cannot be opened raises here; lost IMUs are reported as `Ended` and the set goes on without them.
    """

    def __init__(self, camera: Camera, pose: PoseEstimator, imu: ImuSet | None) -> None:
        self._camera, self._pose, self._imu = camera, pose, imu
        self._queue: queue.Queue[Item] = queue.Queue(QUEUED)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Capture:
        with contextlib.ExitStack() as opened:
            for device in (self._pose, self._camera):
                device.open()
                opened.callback(device.close)
            self._open = opened.pop_all()
        self._start("camera", self._watch_camera)
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

    def _start(self, device: str, watch: Callable[[], None]) -> None:
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

        thread = threading.Thread(target=work, name=f"capture-{device}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _put(self, item: Item) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=POLL_S)
                return

    def _watch_camera(self) -> None:
        while not self._stopping.is_set():
            frame = self._camera.read(POLL_S)
            if frame is not None:
                self._put(skeleton_in(frame, self._pose))

    def _watch_imu(self) -> None:
        """A lost set of IMUs is told once and read on: it may come back."""
        assert self._imu is not None
        told = False
        try:
            self._imu.open()
            while not self._stopping.is_set():
                try:
                    samples = self._imu.read(POLL_S)
                except DeviceLostError as error:
                    if not told:
                        log.warning("imu: %s", error)
                        self._put(Ended("imu", error))
                    told = True
                    self._stopping.wait(POLL_S)
                    continue
                if samples:
                    told = False
                    self._put(samples)
        finally:
            self._imu.close()
