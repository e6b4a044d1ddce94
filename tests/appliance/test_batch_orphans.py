"""Nothing is left running where a batch is killed from outside, as a machine without memory does."""

from __future__ import annotations

import subprocess
import sys

PARENT = """
import operator, os, time
from appliance.batch_workers import on_processes

for worker in on_processes(operator.call, [os.getpid] * 8, 2):
    print(worker, flush=True)
    time.sleep(60)
"""


def test_workers_end_with_a_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert int(parent.stdout.readline()) != parent.pid
        parent.kill()
        # The workers have inherited its standard output: it ends with the last of them.
        rest, _ = parent.communicate(timeout=120)
    assert rest == b""
