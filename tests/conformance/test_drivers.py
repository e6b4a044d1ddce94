"""What every camera and every set of IMUs keeps to, whatever is behind it: one list of drivers, one suite.

A driver joins by a row in `DRIVERS`: its kind, and a function from a scratch folder to its settings.
"""

import gc
import os
import threading
from dataclasses import FrozenInstanceError
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hal.errors import DriverOptionError, HalError, StreamEndedError
from hal.registry import driver_class, driver_options
from hal.types import SEGMENTS


def _video(folder):
    """Settings of a video of twenty small pictures, made here."""
    file = folder / "twenty.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(20):
            picture = np.full((48, 64, 3), 10 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return {"driver": "video", "file": str(file)}


def _image(folder):
    """Settings of one small picture, made here."""
    file = folder / "grey.png"
    cv2.imwrite(str(file), np.full((48, 64, 3), 128, np.uint8))
    return {"driver": "image", "file": str(file)}


def _kinect_recording(folder):
    """Settings of the real Kinect recording; without it the driver's own tests still hold it to made ones."""
    recordings = os.environ.get("REHABBOX_DATA")
    if not recordings:
        pytest.skip("needs the real recordings: set REHABBOX_DATA to their folder")
    return {"driver": "kinect_mkv", "file": str(Path(recordings) / "azure-kinect" / "recording.mkv")}


DRIVERS = {
    "kinect recording": ("camera", _kinect_recording),
    "synthetic camera": ("camera", lambda folder: {"driver": "synthetic", "rate_hz": 60.0}),
    "video": ("camera", _video),
    "image": ("camera", _image),
    "synthetic imu": ("imu", lambda folder: {"driver": "synthetic"}),
}


@pytest.fixture(params=DRIVERS)
def made(request, tmp_path):
    kind, settings = DRIVERS[request.param]
    return kind, settings(tmp_path)


@pytest.fixture
def driver(made):
    """The driver, not open yet; closed afterwards."""
    kind, settings = made
    built = driver_class(kind, settings["driver"])(driver_options(kind, settings))
    yield built
    built.close()


def read(driver, count):
    """At least that many frames or samples, in the order they came, or all there are where a replay ends before."""
    got = []
    for _ in range(10 * count):
        try:
            came = driver.read(0.5)
        except StreamEndedError:
            assert got
            return got
        got.extend(came if isinstance(came, (list, tuple)) else [came] * (came is not None))
        if len(got) >= count:
            return got
    raise AssertionError(f"only {len(got)} of {count} came")


def descriptors():
    gc.collect()
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


def test_close_comes_before_open_and_twice_without_complaint(driver):
    driver.close()
    driver.open()
    read(driver, 1)
    driver.close()
    driver.close()


def test_it_can_be_opened_again_and_begins_anew(driver):
    for _ in range(2):
        driver.open()
        first = read(driver, 3)[0]
        assert getattr(first, "index", getattr(first, "counter", None)) < 20
        driver.close()


def test_reading_what_is_not_open_is_an_error_of_the_devices_tree(driver):
    with pytest.raises(HalError):
        driver.read(0.01)
    driver.open()
    driver.close()
    with pytest.raises(HalError):
        driver.read(0.01)


def test_device_stamps_and_counters_increase_and_arrivals_never_go_back(driver):
    driver.open()
    by_source = {}
    came = read(driver, 15)
    for one in came:
        by_source.setdefault(getattr(one, "segment", "camera"), []).append(one)
    for items in by_source.values():
        assert all(a.stamp_ns < b.stamp_ns for a, b in pairwise(items))
        counters = [getattr(one, "index", getattr(one, "counter", None)) for one in items]
        assert all(a < b for a, b in pairwise(counters))
    assert all(a.arrival_ns <= b.arrival_ns for a, b in pairwise(came))
    assert all(isinstance(one.stamp_ns, int) and isinstance(one.arrival_ns, int) for one in came)


def test_what_it_delivers_has_the_types_of_the_protocol(made, driver):
    driver.open()
    one = read(driver, 1)[0]
    if made[0] == "imu":
        assert one.segment in SEGMENTS
        assert one.acceleration.shape == one.angular_velocity.shape == (3,)
        assert np.linalg.norm(one.orientation) == pytest.approx(1.0)
    elif one.body is not None:
        assert one.body.positions.shape == (len(one.body.confidence), 3)
    else:
        assert one.color.dtype == np.uint8
        assert one.color.shape[2] == 3
    with pytest.raises(FrozenInstanceError):
        one.stamp_ns = 0


def test_it_says_who_it_is_before_it_is_open(made, driver):
    assert driver.info.driver == made[1]["driver"]
    assert driver.info.name


def test_no_thread_and_no_descriptor_is_left_behind(driver):
    threads, files = set(threading.enumerate()), descriptors()
    for _ in range(3):
        driver.open()
        read(driver, 2)
        driver.close()
    assert descriptors() <= files
    assert set(threading.enumerate()) <= threads


def test_an_unknown_option_is_refused_by_its_name(made):
    kind, settings = made
    with pytest.raises(DriverOptionError, match=rf"{kind}\.no_such_option"):
        driver_options(kind, settings | {"no_such_option": 1})
