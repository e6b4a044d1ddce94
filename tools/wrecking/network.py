"""A network of the box's own, whose cable can be pulled: a namespace and a pair of virtual interfaces (root only)."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


class Network:
    """A context manager. In it `localhost` is this machine, at `address`. Raises `OSError` where it may not be made."""

    def __init__(self) -> None:
        number = os.getpid() % 16384
        self._name, self._outer, self._inner = f"chaos{number}", f"cho{number}", f"chi{number}"
        net = 4 * number  # four addresses for each
        self.address = f"10.224.{net >> 8}.{(net & 255) + 1}"
        self._box = f"10.224.{net >> 8}.{(net & 255) + 2}"
        self._hosts = Path("/etc/netns") / self._name

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise PermissionError("only root makes network namespaces")
        try:
            _ip("netns", "add", self._name)
            _ip("link", "add", self._outer, "type", "veth", "peer", "name", self._inner, "netns", self._name)
            _ip("addr", "add", f"{self.address}/30", "dev", self._outer)
            _ip("link", "set", self._outer, "up")
            _ip("-n", self._name, "addr", "add", f"{self._box}/30", "dev", self._inner)
            _ip("-n", self._name, "link", "set", self._inner, "up")
            _ip("-n", self._name, "link", "set", "lo", "up")
            self._hosts.mkdir(parents=True)
            (self._hosts / "hosts").write_text(f"{self.address} localhost\n")
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    @property
    def prefix(self) -> list[str]:
        """Before a command that is to run in it."""
        return ["ip", "netns", "exec", self._name]

    def cut(self) -> None:
        _ip("link", "set", self._outer, "down")

    def mend(self) -> None:
        _ip("link", "set", self._outer, "up")

    def _remove(self) -> None:
        with suppress(OSError):
            _ip("netns", "del", self._name)
        with suppress(OSError):
            _ip("link", "del", self._outer)
        with suppress(OSError):
            (self._hosts / "hosts").unlink()
            self._hosts.rmdir()


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
