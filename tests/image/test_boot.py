"""The box starts by itself, works although it is confined, and writes nowhere but where it may."""

from __future__ import annotations

import json
from hashlib import sha256

from tests.image.conftest import Installed
from tests.integration.conftest import Hospital

UNIT = "rehabbox.service"


def ready_after_s(box: Installed) -> float:
    began, ready = (
        int(box.machine.show(UNIT, name))
        for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    )
    return (ready - began) / 1e6


def test_the_box_starts_by_itself_and_is_ready_soon(box: Installed, hospital: Hospital) -> None:
    machine = box.machine
    machine.boot()
    machine.wait(UNIT)
    first_s = ready_after_s(box)
    hospital.wait(lambda heard: bool(heard.of("status")))
    machine.run("systemctl", "restart", UNIT)
    machine.wait(UNIT)
    warm_s = ready_after_s(box)
    print(f"start to READY: first {first_s:.1f} s, warm {warm_s:.1f} s")
    assert first_s <= 15.0
    assert warm_s <= 5.0
    assert machine.show(UNIT, "User") == "rehabbox"
    assert machine.run("systemctl", "--failed", "--plain", "--no-legend") == ""
    bill = machine.run("cat", "/usr/lib/rehabbox/sbom.cdx.json")
    born = next(status for status in hospital.of("status") if status["state"] == "online")
    assert born["sbom_sha256"] == sha256(bill.encode() + b"\n").hexdigest()


def test_a_session_goes_through_while_the_daemon_is_confined(box: Installed, hospital: Hospital) -> None:
    """Compilers, broker, recording: all of it works, and leaves its marks in its own folders alone."""
    machine = box.machine
    exercise = box.exercise("squat", "both", 3)
    machine.boot()
    machine.wait(UNIT)
    machine.run("touch", "/tmp/booted")
    machine.until_logged(UNIT, "the scorer is ready")
    hospital.prescribe([exercise])
    hospital.wait(lambda heard: bool(heard.of("result")), timeout_s=180)
    (result,) = hospital.of("result")
    assert (result["status"], len(result["repetitions"])) == ("scored", 3)
    entries = [json.loads(line) for line in machine.journal("-u", UNIT, "--output=json").splitlines()]
    told = {entry.get("REHABBOX_EXERCISE") for entry in entries if entry.get("REHABBOX_SESSION") == result["session"]}
    assert "squat" in told
    assert any(entry.get("LOGGER") == "appliance.warm_up" for entry in entries)
    machine.run("rehabbox", "support", "--out", "/tmp/bundle.tar.gz")
    log = machine.run("tar", "-xzOf", "/tmp/bundle.tar.gz", "rehabbox-support/log.txt")
    assert f"Z {UNIT} info (squat): appliance.session: squat: scored" in log.replace(f"({result['session']} ", "(")
    units = machine.run("tar", "-xzOf", "/tmp/bundle.tar.gz", "rehabbox-support/units.txt")
    assert f"Id={UNIT}" in units.splitlines()
    written = machine.run(
        "find", "/", "-xdev", "-newer", "/tmp/booted", "-not", "-type", "d", "-user", "rehabbox", "-print"
    ).splitlines()
    assert written
    assert [path for path in written if not path.startswith(("/var/lib/rehabbox/", "/var/cache/rehabbox/"))] == []
    assert any(path.endswith(".nbc") for path in written), "the compiled loops are kept"
