"""A new box: booted without an enrolment, set up by what IT brings."""

from __future__ import annotations

import subprocess
from pathlib import Path
from time import monotonic, sleep

from appliance.first_boot.network import Network, files_for
from appliance.fleet.boxes import Box as FleetBox
from appliance.fleet.fleet import Fleet
from appliance.fleet.founding import make_fleet
from tests.image.conftest import Installed
from tests.image.machine import Machine

UNIT = "rehabbox.service"
PSK, PSK_SHA256, SAE = 1 << 1, 1 << 8, 1 << 10
"""wpa_supplicant's numbers of the ways to prove oneself (WPA_KEY_MGMT_*)."""
AS_DAEMON = (
    "setpriv",
    "--reuid=rehabbox",
    "--regid=rehabbox",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all",
)


def test_a_new_box_waits_and_begins_to_work_when_a_stick_brought_its_enrolment(box: Installed, tmp_path: Path) -> None:
    machine = box.machine
    box.settings(broker=None)
    machine.boot()
    machine.wait(UNIT)
    assert "not enrolled" in machine.show(UNIT, "StatusText")
    machine.write("/srv/stick/box.txt", "box-12\n")
    machine.run("chown", "-R", "rehabbox", "/srv/stick")
    assert "carry it" in machine.run(*AS_DAEMON, "rehabbox", "stick", "/srv/stick")

    make_fleet(tmp_path / "fleet", ("ward",), ("localhost", box.broker.port), 8884)
    with Fleet(tmp_path / "fleet") as fleet:
        fleet.add([FleetBox("box-12", "ward")])
        answer = fleet.sign(machine.run("cat", "/srv/stick/box-12.csr").encode(), "box-12.csr", None)
    machine.write("/srv/stick/box-12.enrolment.json", answer.model_dump_json())
    assert "enrolled: box box-12 of ward" in machine.run(*AS_DAEMON, "rehabbox", "stick", "/srv/stick")
    machine.until_logged(UNIT, "appliance.daemon: ready")
    assert machine.show(UNIT, "NRestarts") == "0"
    assert "box-12" in machine.run("cat", "/srv/stick/rehabbox-box-12.txt")
    assert machine.run("stat", "--format=%U %a", "/var/lib/rehabbox/enrolment/current/key.pem") == "rehabbox 600"


def test_the_network_of_a_file_is_the_boxs_network(bare: Machine) -> None:
    bare.write("/srv/network.toml", '[wire]\naddress = "192.0.2.20/24"\ngateway = "192.0.2.1"\n')
    bare.boot(["--network-veth"])
    index = bare.run("cat", "/sys/class/net/host0/iflink")
    ends = Path("/sys/class/net").glob("*/ifindex")
    cable = next(end.parent.name for end in ends if end.read_text().strip() == index)
    subprocess.run(["ip", "link", "set", cable, "up"], check=True)  # plugged in
    bare.run("rehabbox", "network", "/srv/network.toml")
    deadline = monotonic() + 30.0
    while "192.0.2.20" not in (said := bare.run("networkctl", "status", "host0", check=False)):
        assert monotonic() < deadline, said
        sleep(0.5)
    assert "192.0.2.1" in said
    assert bare.run("systemctl", "is-enabled", "systemd-networkd") == "enabled"


def test_wpa_supplicant_understands_the_wifi_of_a_file(bare: Machine) -> None:
    """There is no radio here: what it makes of its file is all that is seen."""
    wifi = {"ssid": "ward ü", "passphrase": 'pa"ss # word', "country": "DE", "hidden": True}
    (text, mode) = files_for(Network.model_validate({"wifi": wifi}), "wlan0")[
        Path("wpa_supplicant/rehabbox-wlan0.conf")
    ]
    bare.write("/etc/wpa_supplicant/rehabbox-wlan0.conf", text, mode)
    bare.boot(["--network-veth"])
    command = ("wpa_supplicant", "-ddK", "-Dwired", "-ihost0", "-c/etc/wpa_supplicant/rehabbox-wlan0.conf")
    said = bare.run("timeout", "3", *command, check=False)
    assert "ssid='ward \\xc3\\xbc'" in said
    assert 'pa"ss # word' in said
    assert f"key_mgmt: {PSK | PSK_SHA256 | SAE:#x}" in said
    assert "sae_pwe=2" in said


def test_a_read_only_root_is_enough(bare: Machine) -> None:
    """The daemon itself never writes to it; systemd needs somewhere for its own."""
    bare.boot(["--volatile=state"])
    bare.wait(UNIT)
    assert "ro," in bare.run("findmnt", "--noheadings", "--output=OPTIONS", "/")
    assert "not enrolled" in bare.show(UNIT, "StatusText")
