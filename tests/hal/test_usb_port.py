"""The switch of a USB port, on a folder like the kernel's."""

import os
from pathlib import Path

import pytest

from hal.errors import DeviceNotFoundError
from hal.usb_port import OFF_S, UsbPort


def port(root: Path, *path: str) -> Path:
    switch = root.joinpath(*path) / "disable"
    switch.parent.mkdir(parents=True)
    switch.write_text("0")
    return switch


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("1-2", ("1-0:1.0", "usb1-port2")),
        ("2-1.4", ("2-1:1.0", "2-1-port4")),
        ("3-1.4.2", ("3-1.4:1.0", "3-1.4-port2")),
    ],
)
def test_a_port_goes_off_for_a_while_and_on_again(tmp_path: Path, name: str, path: tuple[str, ...]) -> None:
    switch = port(tmp_path, *path)
    seen: list[tuple[str, float]] = []
    UsbPort(name, tmp_path, lambda seconds: seen.append((switch.read_text(), seconds))).power_cycle()
    assert seen == [("1", OFF_S)]
    assert switch.read_text() == "0"


def test_both_halves_of_a_usb_3_socket_go_off(tmp_path: Path) -> None:
    two, three = port(tmp_path, "1-0:1.0", "usb1-port2"), port(tmp_path, "2-0:1.0", "usb2-port1")
    (three.parent / "peer").symlink_to(two.parent)
    seen: list[str] = []
    UsbPort("2-1", tmp_path, lambda _: seen.append(two.read_text() + three.read_text())).power_cycle()
    assert seen == ["11"]
    assert (two.read_text(), three.read_text()) == ("0", "0")


def test_a_port_without_a_switch_is_named_with_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"USB port 1-7.*Linux 6\.0"):
        UsbPort("1-7", tmp_path).power_cycle()


@pytest.mark.parametrize("name", ["", "usb1", "1", "1-", "1-2.", "../1-2", "1-2:1.0"])
def test_what_is_no_port_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no USB port"):
        UsbPort(name, tmp_path)


def test_what_is_plugged_in_is_reset_at_its_own_node(tmp_path: Path) -> None:
    device, node = tmp_path / "2-1.4", tmp_path / "nodes" / "002" / "017"
    port = UsbPort("2-1.4", tmp_path, nodes=tmp_path / "nodes", ioctl=lambda file, code: asked.append((file, code)))
    asked: list[tuple[int, int]] = []
    assert not port.occupied
    with pytest.raises(DeviceNotFoundError, match=r"USB port 2-1\.4: cannot reset"):
        port.reset()
    device.mkdir()
    (device / "busnum").write_text("2\n")
    (device / "devnum").write_text("17\n")
    assert port.occupied
    with pytest.raises(DeviceNotFoundError, match="017"):
        port.reset()
    assert asked == []
    node.parent.mkdir(parents=True)
    node.touch()
    port.reset()
    assert [code for _, code in asked] == [0x5514]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(asked[0][0])
