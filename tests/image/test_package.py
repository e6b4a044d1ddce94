"""The package's life in a box: installed, changed by its owner, upgraded, taken back, removed, purged."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.image.conftest import Installed
from tests.image.machine import Machine

UNIT = "rehabbox.service"


def installed(machine: Machine) -> str:
    return machine.run("dpkg-query", "--show", "--showformat=${Version} ${db:Status-Status}", "rehabbox")


def files(machine: Machine) -> set[str]:
    """What lies on the disk but logs, dpkg's own books and what systemd writes for itself."""
    found = machine.run(
        "find", "/etc", "/usr", "/var", "/opt", "/home", "/root", "/srv", "-xdev", "-print"
    ).splitlines()
    others = ("/var/log/", "/var/lib/dpkg", "/var/cache/apt", "/var/lib/systemd", "/var/cache/ldconfig", "/var/tmp/")
    return {path for path in found if not path.startswith(others)}


def test_install_run_upgrade_take_back_and_purge(box: Installed, newer: Path, image: Path) -> None:
    machine = box.machine
    for package in (newer, image / "package.deb"):
        shutil.copy(package, machine.disk(f"/srv/{package.resolve().name if package is newer else 'first.deb'}"))
    machine.boot()
    machine.wait(UNIT)
    first = installed(machine)
    assert first.endswith(" installed")
    machine.run("sh", "-c", "echo '# mine' >>/etc/rehabbox/exercises/15_squat.toml")
    mine = machine.run("cat", "/etc/rehabbox/settings.toml")
    for language in ("en", "de"):
        spoken = machine.run("ls", f"/usr/share/rehabbox/prompts/{language}").split()
        assert {"recording.wav", "times-8.wav"} <= set(spoken), "what the loudspeaker says"

    machine.run("dpkg", "--install", "--force-confold", f"/srv/{newer.name}", timeout_s=900)
    machine.wait(UNIT)
    assert installed(machine) == "9.0.0 installed"
    assert machine.run("cat", "/etc/rehabbox/settings.toml") == mine, "what the hospital wrote is kept"
    assert "# mine" in machine.run("cat", "/etc/rehabbox/exercises/15_squat.toml")
    assert "# of 9.0.0" in machine.run("cat", "/etc/rehabbox/settings.toml.dpkg-dist")
    assert machine.run("dpkg", "--verify", "rehabbox").replace("??5?????? c /etc/rehabbox/", "").split() == [
        "exercises/15_squat.toml",
        "settings.toml",
    ]

    machine.run("dpkg", "--install", "--force-confold", "/srv/first.deb", timeout_s=900)
    machine.wait(UNIT)
    assert installed(machine) == first
    assert machine.run("cat", "/etc/rehabbox/settings.toml") == mine

    machine.run("dpkg", "--remove", "rehabbox", timeout_s=900)
    assert machine.show(UNIT, "ActiveState") == "inactive"
    assert machine.run("cat", "/etc/rehabbox/settings.toml") == mine, "a removed package keeps its configuration"
    assert machine.run("ls", "/var/lib/rehabbox").split(), "and its results"

    machine.run("dpkg", "--purge", "rehabbox")
    machine.run("sh", "-c", "rm /srv/*")
    left = {path for path in files(machine) if "rehabbox" in path}
    assert left == set()
    assert machine.run("getent", "passwd", "rehabbox", check=False) == ""
    assert machine.run("getent", "group", "rehabbox", check=False) == ""
    assert machine.run("systemctl", "list-unit-files", "rehabbox*", "--no-legend", check=False) == ""
    assert machine.run("ls", "/dev").split().count("rehabbox") == 0


def test_an_upgrade_by_hand_does_not_break_off_a_session(box: Installed, newer: Path) -> None:
    machine = box.machine
    shutil.copy(newer, machine.disk(f"/srv/{newer.name}"))
    machine.boot()
    machine.wait(UNIT)
    before = installed(machine)
    said = machine.run(
        "flock", "/var/lib/rehabbox/session.lock", "dpkg", "--install", f"/srv/{newer.name}", check=False, timeout_s=900
    )
    assert installed(machine) == before, said
    machine.wait(UNIT)
