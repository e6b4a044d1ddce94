"""A disk whose power can be cut: ext4 on a block device that loses, at the cut, whatever it was not told to flush.

The block device is a loop device on a file that nbdfuse mounts, whose every read, write and flush is answered here. So
the kernel's page cache, its file system and its order of writes are the real ones. Killing a process alone would leave
the page cache, and prove nothing.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from nbd import NbdServer
from volatile_cache import VolatileCache

SIZE_MB = 64
_READY_S = 10.0
_PROGRAMS = ("nbdfuse", "fusermount3", "mkfs.ext4", "losetup")


def missing() -> str:
    """What keeps this machine from having such a disk, or ""."""
    if os.geteuid() != 0:
        return "only root may mount a disk"
    if not Path("/dev/fuse").exists() or not Path("/dev/loop-control").exists():
        return "the kernel has no FUSE or no loop devices here"
    lacking = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]
    return f"{', '.join(lacking)}: not installed; on Debian: apt install libnbd-bin fuse3 e2fsprogs" if lacking else ""


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class PowerDisk:
    """Mounted at `mount` between `turn_on` and `cut`. Raises `OSError` where the machine refuses."""

    def __init__(self, folder: Path, mount: Path) -> None:
        self._folder, self._mount = folder, mount
        mount.mkdir()
        self._image = self._formatted()
        self._stop: list[Callable[[], object]] = []
        self.cache = VolatileCache(b"")

    def turn_on(self) -> None:
        """Mounts what the last cut left; the file system replays its journal, and must then be found whole."""
        with tempfile.NamedTemporaryFile(dir=self._folder) as copy:
            copy.write(self._image)
            copy.flush()
            _run("e2fsck", "-fy", "-E", "journal_only", copy.name, good=(0, 1))
            _run("e2fsck", "-fn", copy.name)
        self.cache = VolatileCache(self._image)
        place = Path(tempfile.mkdtemp(dir=self._folder))
        self._stop = [lambda: shutil.rmtree(place, ignore_errors=True)]
        server = NbdServer(place / "socket", self.cache)
        self._stop.append(server.close)
        (place / "disk").touch()
        fuse = subprocess.Popen(
            ["nbdfuse", str(place / "disk"), "--unix", str(place / "socket")], stderr=subprocess.PIPE
        )
        self._stop.append(lambda: _let_go(fuse, place / "disk"))
        _wait(lambda: (place / "disk").stat().st_size == len(self.cache) or fuse.poll() is not None)
        loop = _run("losetup", "--find", "--show", str(place / "disk")).strip()
        self._stop.append(lambda: _run("losetup", "--detach", loop))
        _run("mount", loop, str(self._mount))
        self._stop.append(lambda: _run("umount", "--lazy", str(self._mount)))

    def cut(self, kill: Callable[[], object], rng: random.Random) -> int:
        """Cuts the power: nothing is written from this moment on, and then `kill` ends whoever was at work.

        The moment, on the monotonic clock, ns.
        """
        self.cache.freeze()
        at_ns = time.monotonic_ns()
        killer = threading.Thread(target=kill)
        killer.start()
        time.sleep(0.1)  # whoever runs is dead by now; whoever waits for the disk dies when it answers
        self._image = self.cache.turn_off(rng)
        killer.join()
        self.close()
        return at_ns

    def close(self) -> None:
        while self._stop:
            self._stop.pop()()

    def _formatted(self) -> bytes:
        file = self._folder / "formatted"
        with file.open("wb") as stream:
            stream.truncate(SIZE_MB << 20)
        _run("mkfs.ext4", "-q", "-m", "0", str(file))
        image = file.read_bytes()
        file.unlink()
        return image


def _let_go(fuse: subprocess.Popen[bytes], mounted: Path) -> None:
    subprocess.run(["fusermount3", "-u", "-z", mounted], check=False, capture_output=True)
    try:
        fuse.wait(5)
    except subprocess.TimeoutExpired:
        fuse.kill()
        fuse.wait()
    assert fuse.stderr is not None
    fuse.stderr.close()


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _READY_S
    while not until():
        if time.monotonic() > deadline:
            raise OSError("the disk did not come in time")
        time.sleep(0.02)


def _run(*command: str, good: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": _PATH})
    if done.returncode not in good:
        raise OSError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
