"""A new box: what it finds, how it waits, what a stick and a network file do."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.enrolment.hospital_file import Enrolment, Hospital
from appliance.enrolment.identity import Identity
from appliance.errors import EnrolmentError, NetworkError, NotSetUpError
from appliance.first_boot.found import keep
from appliance.first_boot.network import Network, apply, files_for, read_network
from appliance.first_boot.stick import report, serve
from appliance.first_boot.waiting import set_up
from appliance.fleet.boxes import Box as FleetBox
from appliance.fleet.fleet import Fleet
from appliance.fleet.founding import make_fleet
from appliance.settings import load_settings
from hal.detect import Found, find_devices


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """The kernel's view of a machine into which things are plugged: its /sys and /dev."""

    def plug(*devices: tuple[str, str, str], port: str = "", led: str = "", speaker: bool = False) -> tuple[Path, Path]:
        sysfs, dev = tmp_path / "sys", tmp_path / "dev"
        for number, (vendor, product, name) in enumerate(devices, start=1):
            folder = sysfs / "bus/usb/devices" / f"2-{number}"
            folder.mkdir(parents=True)
            for file, text in (("idVendor", vendor), ("idProduct", product), ("product", name)):
                (folder / file).write_text(f"{text}\n")
            if port and number == len(devices):
                (folder / f"2-{number}:1.0" / port).mkdir(parents=True)
        if led:
            (sysfs / "class/leds" / led).mkdir(parents=True)
        (dev / "snd").mkdir(parents=True)
        for name in ("pcmC0D0p", "pcmC0D0c") if speaker else ("pcmC0D0c",):
            (dev / "snd" / name).touch()
        return sysfs, dev

    return plug


KINECT = [("045e", "097a", "Hub"), ("045e", "097c", "Azure Kinect Depth Camera"), ("045e", "097d", "Azure Kinect 4K")]


def test_a_kinect_a_receiver_a_light_and_a_loudspeaker_are_found(machine: Any) -> None:
    sysfs, dev = machine(*KINECT, ("2639", "0101", "Awinda"), port="ttyUSB0", led="rehabbox:status", speaker=True)
    found = {one.kind: one.table for one in find_devices(sysfs, dev)}
    assert found == {
        "camera": {"driver": "kinect"},
        "pose": {"driver": "mediapipe"},
        "imu": {"driver": "xbus", "port": str(dev / "ttyUSB0")},
        "indicator": {
            "driver": "combined",
            "parts": [{"driver": "led", "name": "rehabbox:status"}, {"driver": "speaker"}],
        },
    }


def test_a_port_is_named_where_the_confined_daemon_sees_it(machine: Any) -> None:
    sysfs, dev = machine(("0403", "d38b", "Xsens USB-serial converter"), port="ttyUSB3")
    (dev / "rehabbox").mkdir()
    (dev / "rehabbox/ttyUSB3").touch()
    (found,) = find_devices(sysfs, dev)
    assert found.table["port"] == str(dev / "rehabbox/ttyUSB3")


def test_any_other_adapter_is_not_taken_for_sensors_nor_a_microphone_for_a_loudspeaker(machine: Any) -> None:
    sysfs, dev = machine(("0403", "6001", "FT232R USB UART"), ("1d6b", "0003", "Hub"), port="ttyUSB0")
    assert find_devices(sysfs, dev) == []


def test_what_was_found_stands_where_the_settings_say_nothing_and_is_kept_while_unplugged(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[session]\nstate = "{tmp_path}"\n[broker]\nhost = "h"\nsite = "s"\nbox = "b"\nca = "a"\ncertificate = "c"\n'
        'key = "k"\n[indicator]\ndriver = "silent"\n'
    )
    with pytest.raises(NotSetUpError, match="camera: there is none"):
        load_settings(settings, {})
    found = [
        Found("camera", {"driver": "kinect"}, "USB 2-1"),
        Found("pose", {"driver": "mediapipe"}, "USB 2-1"),
        Found("indicator", {"driver": "combined", "parts": [{"driver": "silent"}]}, "x"),
    ]
    assert keep(tmp_path / "found.toml", found)
    assert not keep(tmp_path / "found.toml", []), "unplugged is not forgotten"
    known = load_settings(settings, {})
    assert (known.camera, known.pose) == ({"driver": "kinect"}, {"driver": "mediapipe"})
    assert known.indicator == {"driver": "silent"}
    settings.write_text(settings.read_text() + '[camera]\ndriver = "synthetic"\n')
    assert load_settings(settings, {}).camera == {"driver": "synthetic"}


def test_a_new_box_waits_says_what_for_and_goes_on_when_it_has_camera_and_enrolment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, enrol: Callable[[Path, str], None]
) -> None:
    settings = tmp_path / "settings.toml"
    state = tmp_path / "state"
    state.mkdir()
    settings.write_text(f'[session]\nstate = "{state}"\n[enrolment]\nfolder = "{state}/enrolment"\n')
    looks = 0

    def find() -> list[Found]:
        nonlocal looks
        looks += 1
        if looks == 2:
            enrol(state / "enrolment", "box-7")
        return [Found("camera", {"driver": "synthetic"}, "nowhere")] if looks == 3 else []

    with caplog.at_level("INFO"):
        complete = set_up(settings, find, look_s=0.01)
    assert complete is not None
    assert (complete.broker.box, complete.camera) == ("box-7", {"driver": "synthetic"})
    said = [record.message for record in caplog.records if "not set up yet" in record.message]
    assert ["not enrolled" in said[0], "camera: there is none" in said[1], len(said)] == [True, True, 2]


def test_a_box_that_waits_can_be_stopped(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[session]\nstate = "{tmp_path}"\n')
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert set_up(settings, list, look_s=0.02) is None


@pytest.fixture
def sign(tmp_path: Path) -> Callable[[bytes], Enrolment]:
    """The hospital's answer to a request."""
    folder = tmp_path / "fleet"
    make_fleet(folder, ("ward",), ("broker.example", 8883), 8884)
    with Fleet(folder) as fleet:
        fleet.add([FleetBox(f"box-{number}", "ward") for number in range(2, 8)])

    def answer(request: bytes) -> Enrolment:
        with Fleet(folder) as fleet:
            return fleet.sign(request, "box.csr", None, again=True)

    return answer


@pytest.fixture
def enrol(sign: Callable[[bytes], Enrolment]) -> Callable[[Path, str], None]:
    def do(folder: Path, box: str) -> None:
        identity = Identity(folder)
        identity.install(sign(identity.request(box)))

    return do


def test_a_stick_carries_the_request_out_and_the_answer_in(tmp_path: Path, sign: Any) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "box.txt").write_text("box-3\n")
    identity, other = Identity(tmp_path / "box"), Identity(tmp_path / "another")
    assert serve(stick, identity)[0].startswith("box-3.csr: carry it")
    request = (stick / "box-3.csr").read_bytes()
    for name, answer in (("a", sign(other.request("box-2"))), ("box-3", sign(request))):
        (stick / f"{name}.enrolment.json").write_text(answer.model_dump_json())
    (line,) = serve(stick, identity)
    assert line == "enrolled: box box-3 of ward, broker broker.example"
    assert report(stick, identity, [line]).name == "rehabbox-box-3.txt"
    assert identity.current().enrolment.box == "box-3"


def test_why_its_own_answer_is_refused_is_told_beside_the_request(tmp_path: Path, sign: Any) -> None:
    identity = Identity(tmp_path / "box")
    (tmp_path / "box.txt").write_bytes(b"\xef\xbb\xbfbox-3\r\n")
    serve(tmp_path, identity)
    answer = sign(identity.request("box-3"))
    (tmp_path / "box-2.enrolment.json").symlink_to("nowhere")
    (tmp_path / "box-3.enrolment.json").write_text(answer.model_copy(update={"box": "box-4"}).model_dump_json())
    refused, request = serve(tmp_path, identity)
    assert refused.startswith("box-3.enrolment.json: refused: ")
    assert "box-4" in refused
    assert request.startswith("box-3.csr: carry it")
    (tmp_path / "box.txt").unlink()
    (tmp_path / "box-3.enrolment.json").unlink()
    with pytest.raises(EnrolmentError, match=r"box-2\.enrolment\.json: cannot be read"):
        serve(tmp_path, identity)
    (tmp_path / "box-3.enrolment.json").write_bytes(b"\xef\xbb\xbf" + answer.model_dump_json().encode())
    assert serve(tmp_path, identity)[0].startswith("enrolled: box box-3")


def test_a_one_time_code_on_a_stick_is_used_once_and_told_nobody(tmp_path: Path, sign: Any) -> None:
    (tmp_path / "box.txt").write_text("box-4")
    (tmp_path / "code.txt").write_text("s3cret-code\n")
    hospital = sign(Identity(tmp_path / "other").request("box-5")).hospital
    (tmp_path / "hospital.json").write_text(hospital.model_dump_json())
    used = []

    def online(identity: Identity, told: Hospital, box: str, code: str, proxy: str | None) -> Any:
        used.append((box, code))
        return identity.install(sign(identity.request(box)))

    lines = serve(tmp_path, Identity(tmp_path / "enrolment"), online)
    assert used == [("box-4", "s3cret-code")]
    assert not (tmp_path / "code.txt").exists()
    assert "s3cret" not in "".join(lines)


def test_a_stick_that_says_nothing_to_this_box_changes_nothing(tmp_path: Path, sign: Any) -> None:
    identity, other = Identity(tmp_path / "box"), Identity(tmp_path / "another")
    with pytest.raises(EnrolmentError, match="neither an answer"):
        serve(tmp_path, identity)
    (tmp_path / "x.enrolment.json").write_text(sign(other.request("box-2")).model_dump_json())
    with pytest.raises(EnrolmentError):
        serve(tmp_path, identity)
    assert not (tmp_path / "box" / "current").exists()


NETWORK = """
[wire]
address = "192.0.2.20/24"
gateway = "192.0.2.1"
dns = ["192.0.2.53"]
[wifi]
ssid = "ward ü"
passphrase = "correct horse battery"
country = "DE"
[time]
servers = ["ntp.hospital.example"]
"""


@pytest.fixture
def network_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "network.toml"
        file.write_text(text)
        return file

    return write


def test_a_network_file_becomes_files_of_the_systems_own_services(network_file: Callable[[str], Path]) -> None:
    files = {str(name): content for name, content in files_for(read_network(network_file(NETWORK)), "wlan0").items()}
    wire, _ = files["systemd/network/50-rehabbox-wire.network"]
    assert "Address=192.0.2.20/24\nDNS=192.0.2.53\n" in wire
    assert "Gateway=192.0.2.1" in wire
    supplicant, mode = files["wpa_supplicant/rehabbox-wlan0.conf"]
    assert mode == 0o600
    assert f"ssid={'ward ü'.encode().hex()}" in supplicant
    assert "correct horse" not in supplicant


def test_a_name_of_32_bytes_is_a_name_of_wifi(network_file: Callable[[str], Path]) -> None:
    wifi = read_network(network_file(NETWORK.replace("ward ü", "ü" * 16))).wifi
    assert wifi is not None
    assert len(wifi.ssid.encode()) == 32


def test_wpa3_is_joined_by_the_passphrase_that_it_needs_and_wpa2_by_its_key(
    network_file: Callable[[str], Path],
) -> None:
    files = files_for(read_network(network_file(NETWORK)), "wlan0")
    lines = files[Path("wpa_supplicant/rehabbox-wlan0.conf")][0].split()
    assert {"sae_pwe=2", f"sae_password={b'correct horse battery'.hex()}", "ieee80211w=1"} <= set(lines)
    assert lines[lines.index("key_mgmt=WPA-PSK") :][:3] == ["key_mgmt=WPA-PSK", "WPA-PSK-SHA256", "SAE"]


def test_the_key_of_a_passphrase_is_that_of_the_standard() -> None:
    """IEEE 802.11-2020, annex J.4.2, first example."""
    network = Network.model_validate({"wifi": {"ssid": "IEEE", "passphrase": "password", "country": "DE"}})
    (text, _) = files_for(network, "wlan0")[Path("wpa_supplicant/rehabbox-wlan0.conf")]
    assert "psk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e\n" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("192.0.2.20/24", "192.0.2.20/33"), "wire.address"),
        (("[wire]", "[wires]"), "wires"),
        (("correct horse battery", "short"), "wifi.passphrase"),
        (("country", "county"), "wifi.c"),
        (("ntp.hospital.example", "ntp example\\nroot"), "time.servers"),
        (("[wifi]", "[wifi"), "not valid TOML"),
        (("ward ü", "ü" * 17), "wifi.ssid: a name has at most 32 bytes"),
        (('192.0.2.1"', 'fe80::1%eth0\\n[Link]"'), "wire.gateway: it wants an address"),
        (("192.0.2.20/24", "fe80::2%eth0/64"), "wire.address: it wants an address"),
        (("192.0.2.20/24", "192.0.2.20"), "its network's length"),
        (('"192.0.2.1"', "3221225985"), "wire.gateway: it wants an address"),
        (("192.0.2.53", "fe80::3%eth0"), "wire.dns.0: it wants an address"),
        (("[time]", f"deep = {'[' * 5000}\n[time]"), "nested too deeply"),
        (("[time]", f"long = {'1' * 5000}\n[time]"), "too many digits"),
        (("[time]", '"b\\nc" = 1\n[time]'), r"wifi.b\nc: "),
    ],
)
def test_a_wrong_network_file_is_refused_by_name_and_without_its_passphrase(
    network_file: Callable[[str], Path], change: tuple[str, str], told: str
) -> None:
    with pytest.raises(NetworkError) as refused:
        read_network(network_file(NETWORK.replace(*change)))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value), "one line"
    assert "horse" not in str(refused.value)


def test_a_network_put_in_force_replaces_the_one_before(tmp_path: Path) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho $* >>{tmp_path}/called\n")
    systemctl.chmod(0o755)
    old = tmp_path / "etc/wpa_supplicant/rehabbox-wlan9.conf"
    old.parent.mkdir(parents=True)
    old.touch()
    written = apply(Network(), tmp_path / "etc", str(systemctl))
    assert [Path(name).name for name in written] == ["50-rehabbox-wire.network"]
    assert "DHCP=yes" in Path(written[0]).read_text()
    assert stat.S_IMODE(Path(written[0]).stat().st_mode) == 0o644
    assert not old.exists()
    assert (tmp_path / "called").read_text() == "enable systemd-networkd.service\nrestart systemd-networkd.service\n"


def test_a_full_disk_is_told_with_its_file_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NetworkError, match=r"wire\.network: cannot be written: No space left on device; "):
        apply(Network(), tmp_path, "true")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_passphrase_that_a_power_cut_left_beside_its_file_goes(tmp_path: Path) -> None:
    left = tmp_path / "wpa_supplicant/.rehabbox-wlan0.conf.tmp"
    left.parent.mkdir()
    left.touch()
    apply(Network(), tmp_path, "true")
    assert not left.exists()


def test_devices_shows_settings(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "appliance", "devices"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    if done.returncode == 0:
        tomllib.loads(done.stdout)
