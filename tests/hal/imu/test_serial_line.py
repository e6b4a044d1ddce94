"""A serial line whose driver in the kernel fails: every fault is one of ours."""

import os
import termios
import tty

import pytest
import serial

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.imu.serial_line import SerialLine


@pytest.fixture
def port():
    device, port = os.openpty()
    tty.setraw(port)
    yield os.ttyname(port)
    os.close(device)
    os.close(port)


def failing(*args, **settings):
    raise termios.error(5, "Input/output error")


def test_a_port_whose_settings_the_kernel_refuses_is_not_found(port, monkeypatch):
    monkeypatch.setattr(termios, "tcsetattr", failing)
    with pytest.raises(DeviceNotFoundError, match=f"{port}: cannot open it as a serial port"):
        SerialLine(port, 115200)


def test_a_line_that_fails_under_a_write_is_lost_and_can_be_closed(port, monkeypatch):
    line = SerialLine(port, 115200)
    monkeypatch.setattr(serial.Serial, "write", failing)
    with pytest.raises(DeviceLostError, match=f"{port}: cannot write"):
        line.write(b"x")
    monkeypatch.undo()
    line.close()
    with pytest.raises(DeviceLostError, match=port):
        line.read(0.0)
    with pytest.raises(DeviceLostError, match=port):
        line.write(b"x")
