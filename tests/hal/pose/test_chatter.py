"""Known chatter of the native libraries is dropped from stderr; everything else still arrives."""

from __future__ import annotations

import os

import pytest

from hal.pose.chatter import native_chatter_dropped


def test_known_chatter_goes_and_everything_else_stays(capfd: pytest.CaptureFixture[str]) -> None:
    with native_chatter_dropped():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"W0000 00:00:1795324020.692209    8242 inference_feedback_manager.cc:114] Feedback ...\n")
        os.write(2, b"the disk is on fire\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "the disk is on fire\nafter\n"


def test_nothing_is_lost_where_the_call_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with native_chatter_dropped():
            os.write(2, b"reason\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert capfd.readouterr().err == "reason\n"
    os.write(2, b"still open\n")
    assert capfd.readouterr().err == "still open\n"


def test_no_descriptor_is_left_behind() -> None:
    def open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    before = open_descriptors()
    with native_chatter_dropped():
        pass
    assert open_descriptors() == before
