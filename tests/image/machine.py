"""A booted test image: `tools/image`'s root below a throw-away layer, started by systemd-nspawn, killed by the plug.

Its network is this machine's, so that a broker of the test's is the hospital's.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

BOOT_S = 180.0

# In a mount namespace of its own: one cgroup hierarchy as systemd wants it, and the layers.
_START = """
set -e
mount -t tmpfs tmpfs /run
umount -R /sys/fs/cgroup 2>/dev/null || umount -lR /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /sys/fs/cgroup/{name}
echo $$ >/sys/fs/cgroup/{name}/cgroup.procs
mount -t overlay overlay -o lowerdir={lower},upperdir={upper},workdir={work} {root}
exec systemd-nspawn --quiet --keep-unit --register=no --console=pipe --machine={name} -D {root} {options} --boot
"""


class Machine:
    """`boot`, then `run` commands in it, `kill`, `boot` again: what is on its disk stays."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.name = f"rehabbox-{uuid4().hex[:8]}"
        self._image, self._folder = image, folder
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    @property
    def running(self) -> bool:
        return self._leader != 0

    def disk(self, path: str) -> Path:
        """A place on its disk to write to before it is booted. What is only in the image is not seen there."""
        place = self._folder / "upper" / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def write(self, path: str, text: str | bytes, mode: int = 0o644) -> None:
        """A file on its disk, running or not; folders that are not there are made."""
        place = Path(f"/proc/{self._leader}/root{path}") if self._leader else self.disk(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        place.chmod(mode)

    def boot(self, options: Sequence[str] = ()) -> None:
        """Returns when systemd has started everything."""
        script = _START.format(
            name=self.name,
            lower=self._image / "root",
            upper=self._folder / "upper",
            work=self._folder / "work",
            root=self._folder / "root",
            options=shlex.join(options),
        )
        log = (self._folder / "console.log").open("ab")
        command = ["unshare", "--mount", "--propagation=private", "sh", "-c", script]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        deadline = monotonic() + BOOT_S
        while not self._started():
            assert self._process.poll() is None, (self._folder / "console.log").read_text()
            assert monotonic() < deadline, self.run("systemctl", "list-jobs", check=False)
            sleep(0.1)

    def _started(self) -> bool:
        children = subprocess.run(
            ["pgrep", "--parent", str(self._process.pid)], capture_output=True, text=True
        ).stdout.split()
        if not children:
            return False
        self._leader = int(children[0])
        state = self.run("systemctl", "is-system-running", check=False)
        return state in ("running", "degraded")

    def run(self, *command: str, check: bool = True, timeout_s: float = 120.0) -> str:
        """Output of a command run in it, as root."""
        done = subprocess.run(
            [
                "nsenter",
                "--target",
                str(self._leader),
                "--all",
                "env",
                "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                *command,
            ],
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def show(self, unit: str, name: str) -> str:
        """One of a unit's properties."""
        return self.run("systemctl", "show", unit, f"--property={name}", "--value")

    def journal(self, *options: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", *options)

    def wait(self, unit: str, timeout_s: float = 60.0) -> None:
        """Until the unit is active, which for a daemon of type notify is: READY."""
        deadline = monotonic() + timeout_s
        while self.show(unit, "ActiveState") != "active":
            assert monotonic() < deadline, self.run("journalctl", "--no-pager", "--unit", unit)
            sleep(0.2)

    def until_logged(self, unit: str, text: str, timeout_s: float = 240.0) -> None:
        deadline = monotonic() + timeout_s
        while text not in self.journal("-u", unit):
            assert monotonic() < deadline, f"{text!r} was not logged within {timeout_s} s"
            sleep(0.5)

    def kill(self) -> None:
        """Like a plug that is pulled: nothing in it gets to say a word."""
        if self._process is None:
            return
        if self._leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process, self._leader = None, 0
        for mounted in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            for part in ("payload", "supervisor", ""):
                place = Path(mounted) / self.name / part
                deadline = monotonic() + 5.0
                while place.is_dir() and monotonic() < deadline:
                    try:
                        _remove_groups(place)
                    except OSError:
                        sleep(0.1)


def _remove_groups(place: Path) -> None:
    for below in place.iterdir():
        if below.is_dir():
            _remove_groups(below)
    place.rmdir()
