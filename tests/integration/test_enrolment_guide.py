"""docs/enrolment.md, run as it is written: an empty folder, two sides on one machine, a first result at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "enrolment.md"
BLOCK = re.compile(r"^```sh( est)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What the shell started is ended, and waited for, whatever happens.
SCRIPT = """\
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
{blocks}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_guide_leads_from_an_empty_folder_to_a_result_at_the_hospital(tmp_path: Path, est_server: Any) -> None:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("needs mosquitto_pub: apt-get install mosquitto-clients")
    (tmp_path / "hospital-ca.pem").write_text(est_server.ca)
    (tmp_path / "code").write_text("4711\n")
    for kind in ("pem", "key"):
        shutil.copy(tmp_path / "est" / f"est.{kind}", tmp_path / f"hospital-broker.{kind}")
    est_server.codes["box-9"] = "4711"
    blocks = [block for _, block in BLOCK.findall(GUIDE.read_text("utf-8"))]
    assert len(blocks) > 8
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    done = subprocess.run(
        ["bash", "-c", SCRIPT.format(blocks="\n".join(blocks))],
        cwd=tmp_path,
        env={"PATH": programs, "HOME": str(tmp_path), "BROKER": f"localhost:{free_port()}", "SYSTEMS": str(free_port()),
             "EST": f"localhost:{est_server.port}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    logs = [file.read_text() for file in (tmp_path / "box.log", tmp_path / "fleet" / "broker" / "mosquitto.log")]
    assert done.returncode == 0, "\n".join([done.stdout, done.stderr, *logs])
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["exercise"], result["status"], result["box"]) == ("squat", "scored", "box-1")
    assert "box box-9 of clinic: enrolled until" in done.stdout
    states = {one["box"]: one["state"] for one in json.loads((tmp_path / "boxes.json").read_text())["boxes"]}
    assert states == {"box-1": "enrolled", "box-2": "waiting", "box-3": "waiting"}
    assert "box-1: the new certificate is valid until" in done.stdout
    assert "entries, whole" in done.stdout
