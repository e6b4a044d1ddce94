"""The short form of `tools/chaos`, and the order of the disk's writes before the patient hears "done"."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "wrecking"
sys.path.insert(0, str(TOOL))
from volatile_cache import SECTOR, PowerOffError, VolatileCache  # noqa: E402

sys.path.remove(str(TOOL))


def chaos(*options: str) -> tuple[int, str, dict[str, Any] | None]:
    run = subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True, timeout=300)
    last = run.stdout.splitlines()[-1] if run.stdout else ""
    return run.returncode, run.stdout + run.stderr, json.loads(last) if last.startswith("{") else None


def test_no_result_is_lost_whatever_is_killed_cut_filled_or_damaged() -> None:
    status, said, verdict = chaos("--quick", "--seed", "5")
    assert status == 0, said
    assert verdict is not None
    assert verdict["kills"] == 3
    assert verdict["kills between commit and PUBACK"] == 2
    assert verdict["announced"] > 5
    assert verdict["rebuilt"] > 0
    assert (verdict["lost"], verdict["holes"], verdict["numbers used twice"]) == (0, 0, 0)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_result_is_on_the_disk_before_the_patient_hears_done() -> None:
    status, said, _ = chaos("--trace")
    steps = [line[5:] for line in said.splitlines() if line.startswith("yes")]
    assert status == 0, said
    assert steps.index("fsync of that file") < steps.index("fdatasync of the queue's log after the last write to it")
    assert steps[-1] == '"done" is shown'


def test_a_power_cut_takes_what_was_not_flushed_and_no_result() -> None:
    status, said, verdict = chaos("--power", "--cuts", "2", "--seed", "3")
    if status == 2:
        pytest.skip(said.strip())
    assert verdict is not None, said
    assert verdict["cuts"] == 2
    assert verdict["cuts while a set is recorded"] == 1
    assert (verdict["announced and lost"], verdict["holes"], verdict["faults"]) == (0, 0, []), said
    assert status == 0, said


@pytest.mark.parametrize("seed", range(8))
def test_the_disk_under_test_keeps_what_was_flushed_and_forgets_some_of_the_rest(seed: int) -> None:
    disk = VolatileCache(bytes(16 * SECTOR))
    disk.write(0, b"f" * SECTOR)
    disk.flush()
    disk.write(SECTOR, b"x" * 15 * SECTOR)
    assert disk.read(SECTOR, 1) == b"x", "until the cut what was written is read back"
    disk.freeze()
    left = disk.turn_off(random.Random(seed))
    assert left[:SECTOR] == b"f" * SECTOR
    assert (disk.cut, disk.kept) == (15, left.count(b"x") // SECTOR)
    with pytest.raises(PowerOffError):
        disk.write(0, b"late")
