"""Who types what the pages say, page after page, gets where they say: blocks marked `sh` are run as written, in order.

What no test runs is marked `sh by hand: REASON`; `pytest -rs tests/docs` lists those.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.hospital.free_port import free_port
from tests.docs.pages import ROOT, Block, blocks, script_of
from tests.docs.prepared import a_set_and_its_session, healthy_squats, squats, two_videos

HOSPITAL = ("enrolment", "requests", "privacy", "console", "broker", "install")
"""In the order in which somebody at a hospital comes to them: each goes on with the broker and the box before it."""
ALONE: dict[str, tuple[Callable[[Path], None] | None, list[str]]] = {
    "README.md": (two_videos, ["reference.csv.gz", "today.csv.gz"]),
    "docs/indicator.md": (None, ["prompts/en/ready.wav", "prompts/de/ready.wav"]),
    "docs/report.md": (a_set_and_its_session, ["squat.html", "squat.pdf"]),
    "docs/scoring.md": (healthy_squats, ["squat_template.csv.gz", "pictures/angles.png"]),
    "docs/sensors.md": (None, []),
}
"""What is there before the first command of a page, and what must be there after the last."""

ASK = """
import sys, time, urllib.error, urllib.request
for _ in range(300):
    try:
        urllib.request.urlopen(sys.argv[1])
    except urllib.error.HTTPError as answer:
        sys.exit(f"unexpected {answer}" if answer.code != 401 else print("strangers see nothing"))
    except OSError:
        time.sleep(0.1)
sys.exit("the console does not answer")
"""


def walk(script: str, folder: Path, **environment: str) -> str:
    """What was said; the checkout's tools are at hand as in its root."""
    (folder / "tools").symlink_to(ROOT / "tools")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": path, "HOME": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, "\n".join([done.stdout, done.stderr, *(f.read_text() for f in folder.rglob("*.log"))])
    return done.stdout


def test_the_hospitals_pages_lead_from_an_empty_folder_to_results_console_and_support(
    tmp_path: Path, est_server: Any
) -> None:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("needs mosquitto_pub: apt-get install mosquitto-clients")
    (tmp_path / "hospital-ca.pem").write_text(est_server.ca)
    (tmp_path / "code").write_text("4711\n")
    for kind in ("pem", "key"):
        shutil.copy(tmp_path / "est" / f"est.{kind}", tmp_path / f"hospital-broker.{kind}")
    est_server.codes["box-9"] = "4711"
    squats(tmp_path / "therapist.csv.gz", None)
    console = free_port()
    asked = f"python -c {shlex.quote(ASK)} http://127.0.0.1:{console}/events"
    said = walk(
        f"{script_of(*(f'docs/{page}.md' for page in HOSPITAL))}\n{asked}",
        tmp_path,
        REHABBOX_SETTINGS="box.toml",
        BROKER=f"localhost:{free_port()}",
        SYSTEMS=str(free_port()),
        CONSOLE=str(console),
        EST=f"localhost:{est_server.port}",
    )
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["exercise"], result["status"], result["box"]) == ("squat", "scored", "box-1")
    assert "box box-9 of clinic: enrolled until" in said
    states = {one["box"]: one["state"] for one in json.loads((tmp_path / "boxes.json").read_text())["boxes"]}
    assert states == {"box-1": "enrolled", "box-2": "waiting", "box-3": "waiting"}
    assert "box-1: the new certificate is valid until" in said
    assert "entries, whole" in said
    assert '"found": []' in said, "nothing of the patient is left"
    assert "strangers see nothing" in said
    made = ["takes/squat-2.csv.gz", "results.db", "box-12.tar.gz"]
    assert [name for name in made if not (tmp_path / name).exists()] == []


@pytest.mark.parametrize("page", ALONE)
def test_a_pages_commands_work_as_written(page: str, tmp_path: Path) -> None:
    prepare, made = ALONE[page]
    if prepare is not None:
        prepare(tmp_path)
    walk(script_of(page), tmp_path)
    assert [name for name in made if not (tmp_path / name).exists()] == []


def test_every_page_with_commands_is_walked() -> None:
    with_commands = {block.page for block in blocks() if block.language == "sh" and not block.by_hand}
    assert with_commands == {*ALONE, *(f"docs/{page}.md" for page in HOSPITAL)}


def test_what_can_be_typed_is_either_run_or_says_why_not() -> None:
    assert [block for block in blocks() if block.commands and block.language not in ("sh", "text")] == []


@pytest.mark.parametrize(
    "block", [block for block in blocks() if block.by_hand], ids=lambda block: f"{block.page}: {block.commands[:1]}"
)
def test_by_hand(block: Block) -> None:
    """Listed, so that it is seen; that its commands and options exist is tested all the same."""
    pytest.skip(f"{block.page}: {'; '.join(block.commands) or block.language}: {block.by_hand}")
