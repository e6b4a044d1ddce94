"""`tools/simulate` speaks as the vendors' documents say: its bytes are read here by hand, not by the drivers."""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "simulate"

# By hand from the document (FA, bus, message, length, data, checksum), see also the driver's own tests.
WAKE_UP = bytes.fromhex("FA FF 3E 00 C3")
WAKE_UP_ACK = bytes.fromhex("FA FF 3F 00 C2")
GO_TO_CONFIG, GO_TO_CONFIG_ACK = bytes.fromhex("FA FF 30 00 D1"), bytes.fromhex("FA FF 31 00 D0")
GO_TO_MEASUREMENT, GO_TO_MEASUREMENT_ACK = bytes.fromhex("FA FF 10 00 F1"), bytes.fromhex("FA FF 11 00 F0")
RESET, RESET_ACK = bytes.fromhex("FA FF 40 00 C1"), bytes.fromhex("FA FF 41 00 C0")
REQ_DEVICE_ID, DEVICE_ID = bytes.fromhex("FA FF 00 00 01"), bytes.fromhex("FA FF 01 04 00 10 00 07 E5")
INIT_BUS = bytes.fromhex("FA FF 02 00 FF")
INIT_BUS_RESULTS = bytes.fromhex("FA FF 03 08 00 30 00 01 00 30 00 02 93")
CONFIGURE_1 = bytes.fromhex("FA 01 C0 0C 10 20 FF FF 10 60 FF FF 40 20 00 64 D3")
CONFIGURED_1 = bytes.fromhex("FA 01 C1 0C 10 20 FF FF 10 60 FF FF 40 20 00 32 04")
UNKNOWN_OUTPUT = bytes.fromhex("FA 01 C0 04 12 30 00 64 95")
ERROR_PARAMETER = bytes.fromhex("FA FF 42 01 21 9D")
ERROR_MESSAGE = bytes.fromhex("FA FF 42 01 04 BA")


@pytest.fixture
def start():
    """A function that starts the tool; gives the process and its first line."""
    running = []

    def begin(*options):
        process = subprocess.Popen([sys.executable, TOOL, *map(str, options)], stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process, process.stdout.readline().strip()

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def line():
    """A function that opens a serial port raw."""
    opened = []

    def connect(path):
        opened.append(os.open(path, os.O_RDWR | os.O_NOCTTY))
        tty.setraw(opened[-1], termios.TCSANOW)  # flushing would race with the wake-up
        return opened[-1]

    yield connect
    for descriptor in opened:
        os.close(descriptor)


def hear(port, size, most_s=3.0):
    """That many bytes, or fewer if they do not come."""
    data, end = b"", time.monotonic() + most_s
    while len(data) < size and select.select([port], [], [], max(0.0, end - time.monotonic()))[0]:
        data += os.read(port, size - len(data))
    return data


def ask(port, request, answer):
    os.write(port, request)
    assert hear(port, len(answer)).hex(" ") == answer.hex(" ")


def finish(process):
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out)


def test_it_wakes_up_answers_requests_and_measures_as_the_document_says(start, line):
    process, path = start("xbus", "--sensors", 2, "--rate", 50)
    port = line(path)
    assert hear(port, 5) == WAKE_UP
    os.write(port, WAKE_UP_ACK)
    ask(port, REQ_DEVICE_ID, DEVICE_ID)
    ask(port, INIT_BUS, INIT_BUS_RESULTS)
    ask(port, UNKNOWN_OUTPUT, ERROR_PARAMETER)
    ask(port, CONFIGURE_1, CONFIGURED_1)
    ask(port, GO_TO_MEASUREMENT, GO_TO_MEASUREMENT_ACK)
    data = hear(port, 2 * 32)
    for number in range(2):
        message = data[32 * number : 32 * number + 32]
        assert sum(message[1:]) % 256 == 0
        assert message[:4] == bytes.fromhex("FA 01 36 1B")
        fields = struct.unpack(">HBH HBI HB3f", message[4:-1])
        assert fields[:2] + fields[3:5] + fields[6:8] == (0x1020, 2, 0x1060, 4, 0x4020, 12)
        assert fields[2] == 65_400 + number
        assert sum(part**2 for part in fields[8:]) == pytest.approx(9.81**2, rel=1e-5)
    assert finish(process)["sent"] >= 2


def test_while_it_measures_it_refuses_requests_but_goes_back_to_config(start, line):
    _, path = start("xbus", "--sensors", 1)
    port = line(path)
    ask_after = hear(port, 5)
    assert ask_after == WAKE_UP
    time.sleep(0.7)  # nobody acknowledged the wake-up: it measures, with nothing configured to send
    ask(port, REQ_DEVICE_ID, ERROR_MESSAGE)
    ask(port, GO_TO_CONFIG, GO_TO_CONFIG_ACK)
    ask(port, REQ_DEVICE_ID, DEVICE_ID)


def test_a_reset_is_acknowledged_and_the_device_wakes_up_anew(start, line):
    _, path = start("xbus", "--sensors", 1)
    port = line(path)
    ask(port, GO_TO_CONFIG, WAKE_UP + GO_TO_CONFIG_ACK)
    ask(port, RESET, RESET_ACK + WAKE_UP)


def test_a_request_with_a_wrong_checksum_is_not_answered(start, line):
    _, path = start("xbus")
    port = line(path)
    hear(port, 5)
    os.write(port, GO_TO_CONFIG[:-1] + b"\x00")
    assert hear(port, 1, most_s=0.3) == b""
    ask(port, GO_TO_CONFIG, GO_TO_CONFIG_ACK)


def test_the_link_comes_back_with_the_port_and_goes_with_the_tool(start, line, tmp_path):
    link = tmp_path / "imu"
    process, path = start("xbus", "--sensors", 1, "--rate", 50, "--pty-link", link, "--fault", "hang-up:0.2,0.3")
    assert path == str(link)
    port = line(path)
    ask(port, GO_TO_CONFIG, WAKE_UP + GO_TO_CONFIG_ACK)
    ask(port, CONFIGURE_1, CONFIGURED_1)
    ask(port, GO_TO_MEASUREMENT, GO_TO_MEASUREMENT_ACK)
    states, end = [True], time.monotonic() + 3
    while time.monotonic() < end and states != [True, False, True]:
        if link.exists() != states[-1]:
            states.append(link.exists())
        time.sleep(0.01)
    assert states == [True, False, True]
    assert finish(process)["hang_ups"] == 1
    assert not link.is_symlink()


def test_a_broadcast_frame_is_as_the_document_says(start):
    process, address = start("bvh", "--port", 0)
    host, port = address.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        frame = b""
        while len(frame) < 64 + 4 * 354:
            frame += client.recv(64 + 4 * 354 - len(frame))
    assert frame[:2] == bytes.fromhex("FF DD")
    assert frame[62:64] == bytes.fromhex("FF EE")
    count, displaced, reference, avatar = struct.unpack_from("<HBBI", frame, 6)
    assert (count, displaced, reference, avatar) == (354, 1, 0, 0)
    values = struct.unpack_from("<354f", frame, 64)
    assert values[:3] == (0.0, 97.0, 0.0)
    assert all(
        abs(angle) <= 0.1
        for joint in range(59)
        if joint not in (14, 37)
        for angle in values[6 * joint + 3 : 6 * joint + 6]
    )
    assert values[6 * 14 + 5] == -values[6 * 37 + 5]
    assert finish(process)["sent"] >= 1


def test_text_goes_by_datagram_where_it_is_sent(start):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        start("bvh", "--text", "--no-displacement", "--udp", f"127.0.0.1:{listener.getsockname()[1]}")
        words = listener.recv(65536).split()
    assert (words[0], words[1], words[-1], len(words)) == (b"0", b"Patient", b"||", 2 + 180 + 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["xbus", "--fault", "nois:1"], "no fault 'nois'; choose from noise"),
        (["xbus", "--fault", "noise:soon"], "KIND:AT"),
        (["xbus", "--sensors", "40"], "from 0 to 32"),
        (["bvh", "--udp", "7001"], "HOST:PORT"),
        ([], "xbus|bvh"),
    ],
)
def test_wrong_options_are_one_clear_line(options, said):
    run = subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True, timeout=120)
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_help_has_an_example_and_every_fault():
    run = subprocess.run([sys.executable, TOOL, "--help"], capture_output=True, text=True, timeout=120)
    assert "tools/simulate xbus --sensors 17" in run.stdout
    for kind in ("noise", "half-packets", "bad-checksum", "silence", "dropout", "hang-up", "clock-jump"):
        assert f"  {kind} " in run.stdout


def test_simulator_and_drivers_share_no_code():
    for file in (TOOL.parent / "simulator").glob("*.py"):
        assert "hal" not in {line.split()[1].split(".")[0] for line in file.read_text().splitlines()
                             if line.startswith(("import ", "from "))}  # fmt: skip
