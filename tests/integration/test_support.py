"""The bundle for IT, packed on a box that has just seen a patient."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from appliance.support import pack

PATIENT = "subject-4711-x"
OF_A_PATIENT = ("left_knee", "pose_dissimilarity", "repetitions", "positions", PATIENT)


def test_the_bundle_tells_of_the_box_and_not_of_its_patient(ward: Any, hospital: Any, tmp_path: Path) -> None:
    box = ward.start()
    exercise = ward.exercise("squat", "both", 2)
    hospital.prescribe([exercise], subject=PATIENT)
    hospital.wait(lambda heard: bool(heard.of("result")))
    assert box.stop() == 0
    assert PATIENT not in box.log, "the log does not name patients"
    journal = tmp_path / "bin" / "journalctl"  # as if somebody had made a log line that does, all the same
    journal.parent.mkdir()
    lines = [*(tmp_path / "settings.log").read_text().splitlines(), f"fault: {PATIENT}"]
    entries = [{"__REALTIME_TIMESTAMP": "1790000000000000", "PRIORITY": "3", "MESSAGE": line} for line in lines]
    (tmp_path / "journal").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    journal.write_text(f"#!/bin/sh\ncat {tmp_path}/journal\n")
    journal.chmod(0o755)
    out = tmp_path / "bundle.tar.gz"
    command = [
        sys.executable,
        "-m",
        "appliance",
        "support",
        "--json",
        "--out",
        out,
        "--settings",
        tmp_path / "settings.toml",
    ]
    environment = os.environ | {"PATH": f"{journal.parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr

    with tarfile.open(out) as bundle:
        parts = {Path(name).name: bundle.extractfile(name).read().decode() for name in bundle.getnames()}
    assert sorted(json.loads(done.stdout)["parts"]) == sorted(parts)
    said = parts["log.txt"]
    assert "squat: scored" in said
    assert "err: fault: [a patient]\n" in said
    everything = "\n".join(parts.values())
    assert [word for word in OF_A_PATIENT if word in everything] == []
    assert {check["name"] for check in json.loads(parts["doctor.json"])} >= {"camera", "broker", "certificate"}
    assert "sessions: " in parts["state.txt"]
    assert "PRIVATE KEY" not in everything


def test_a_box_that_is_not_set_up_can_be_asked_for_help_too(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[session]\nstate = "{tmp_path}"\n')
    pack(settings, tmp_path / "bundle.tar.gz")
    with tarfile.open(tmp_path / "bundle.tar.gz") as bundle:
        findings = json.loads(bundle.extractfile("rehabbox-support/doctor.json").read())
    assert [finding["name"] for finding in findings] == ["settings"]
    assert "not enrolled" in findings[0]["detail"]
