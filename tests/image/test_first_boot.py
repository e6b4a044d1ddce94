"""A new box: booted without an enrolment, set up by what IT brings."""

from __future__ import annotations

import subprocess
from pathlib import Path
from time import monotonic, sleep

from appliance.fleet.boxes import Box as FleetBox
from appliance.fleet.fleet import Fleet
from appliance.fleet.founding import make_fleet
from tests.image.conftest import Installed
from tests.image.machine import Machine

UNIT = "rehabbox.service"
AS_DAEMON = (
    "setpriv",
    "--reuid=rehabbox",
    "--regid=rehabbox",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all",
)


def until(machine: Machine, text: str) -> None:
    deadline = monotonic() + 60.0
    while text not in machine.journal("-u", UNIT):
        assert monotonic() < deadline, f"{text!r} was not logged"
        sleep(0.5)


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
    until(machine, "appliance.daemon: ready")
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


def test_a_read_only_root_is_enough(bare: Machine) -> None:
    """The daemon itself never writes to it; systemd needs somewhere for its own."""
    bare.boot(["--volatile=state"])
    bare.wait(UNIT)
    assert "ro," in bare.run("findmnt", "--noheadings", "--output=OPTIONS", "/")
    assert "not enrolled" in bare.show(UNIT, "StatusText")
