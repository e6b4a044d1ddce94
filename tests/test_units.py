"""The unit files as systemd itself judges them, without a running systemd."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[1] / "systemd"
PROGRAM = re.compile(r"(?m)^(ExecStart=)(/\S+)")

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (apt: systemd)")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_the_daemon_is_exposed_to_1_2_at_most() -> None:
    done = analyze("security", "--offline=true", "--threshold=12", str(UNITS / "rehabbox.service"))
    assert done.returncode == 0, done.stdout


def test_what_the_daemon_is_not_kept_from_is_what_it_needs() -> None:
    done = analyze("security", "--offline=true", "--json=short", str(UNITS / "rehabbox.service"))
    # The compilers' pages, the broker, USB's events, cameras and ports.
    assert {row["json_field"] for row in json.loads(done.stdout) if float(row["exposure"] or 0) > 0} == {
        "DeviceAllow",
        "IPAddressDeny",
        "MemoryDenyWriteExecute",
        "PrivateNetwork",
        "ProcSubset",
        "RestrictAddressFamilies_AF_INET_INET6",
        "RestrictAddressFamilies_AF_NETLINK",
        "RestrictAddressFamilies_AF_UNIX",
        "RootDirectoryOrRootImage",
    }


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    units = []
    for unit in [*UNITS.glob("*.service"), *UNITS.glob("*.timer"), *UNITS.glob("*.path")]:
        units.append(tmp_path / unit.name.replace("@.", "@sdz1."))
        text = PROGRAM.sub(rf"\1{sys.executable}", unit.read_text())  # it wants the programmes to be there
        (tmp_path / unit.name).write_text(text)
    assert units
    done = analyze("verify", *map(str, units))
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "rehabbox" in line]
    assert (done.returncode, said) == (0, [])


def test_the_doctor_is_as_confined_as_the_daemon() -> None:
    daemon, doctor = ((UNITS / f"{name}.service").read_text() for name in ("rehabbox", "rehabbox-doctor"))
    confined = daemon[daemon.index("# MemoryDenyWriteExecute") : daemon.index("[Install]")].strip()
    assert confined in doctor
