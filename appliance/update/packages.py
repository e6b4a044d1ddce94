"""The distribution's package tools, restricted to the hospital's source: apt checks its signature, as always."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

PACKAGE = "rehabbox"
SOURCE = Path("/etc/apt/sources.list.d/rehabbox.sources")
KEPT = Path("/var/cache/rehabbox-update")
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
    "REHABBOX_UPDATING": "1",  # the package's own scripts ask for the lock that we hold
}


class UpdateError(Exception):
    """The update cannot be begun or finished; the message says what failed and what to do."""


class Packages:
    """source: an apt source file (deb822) whose `Signed-By` names the hospital's key. kept: for archives."""

    def __init__(self, source: Path = SOURCE, kept: Path = KEPT) -> None:
        self._source, self._kept = source, kept
        self._only = [f"-oDir::Etc::sourcelist={source}", "-oDir::Etc::sourceparts=-", "-oAPT::Get::List-Cleanup=0"]

    @property
    def named(self) -> bool:
        """Whether the hospital has named a source at all."""
        return self._source.exists()

    def repair(self) -> None:
        """Finishes what a power cut interrupted."""
        self._run("dpkg", "--configure", "--pending", "--force-confold")

    def refresh(self) -> None:
        """Raises `UpdateError` where the source cannot be reached or is not signed by its key."""
        self._run("apt-get", "update", "-qq", "--error-on=any", *self._only)

    def installed(self) -> str | None:
        """The version; None where it is not wholly there, as after a power cut while it was unpacked."""
        state, _, version = self._run(
            "dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", PACKAGE
        ).partition(" ")
        return version if state == "installed" else None

    def candidate(self, wanted: str | None = None) -> str | None:
        """The newest version in the hospital's source, or the wanted one, where it is newer than the installed one."""
        shown = self._run("apt-cache", "madison", *self._only, PACKAGE)
        versions = [line.split("|")[1].strip() for line in shown.splitlines() if line.count("|") >= 2]
        present = newest = self.installed() or ""
        for version in versions:
            if wanted in (None, version) and self._newer(version, newest):
                newest = version
        return None if newest == present else newest

    def archive(self, version: str) -> Path:
        """The package file of a version, kept on disk: the way there, and the way back without a network."""
        if not re.fullmatch(r"[A-Za-z0-9.+~:-]+", version):
            raise UpdateError(f"{version!r} is no version of a package")
        self._kept.mkdir(mode=0o755, parents=True, exist_ok=True)
        file = self._kept / f"{PACKAGE}_{version}.deb"
        if not file.exists():
            loading = self._kept / "loading"
            shutil.rmtree(loading, ignore_errors=True)
            loading.mkdir()
            self._run(
                "apt-get",
                "download",
                "-qq",
                *self._only,
                "-oAPT::Sandbox::User=root",
                f"{PACKAGE}={version}",
                cwd=loading,
            )
            (loaded,) = loading.glob("*.deb")
            with loaded.open("rb") as archive:
                os.fsync(archive.fileno())
            loaded.replace(file)
            loading.rmdir()
        return file

    def install(self, file: Path) -> None:
        """Whether newer or older than what is there, or the same half installed; what its dependencies need comes along
        from the usual sources."""
        self._run(
            "apt-get", "install", "-qq", "--yes", "--reinstall", "--allow-downgrades", "--no-install-recommends",
            "-oDpkg::Use-Pty=0", "-oDpkg::Options::=--force-confold", "-oDpkg::Options::=--force-confdef", str(file),
        )  # fmt: skip

    def keep_only(self, *versions: str) -> None:
        """Removes the archives of all others."""
        keep = {f"{PACKAGE}_{version}.deb" for version in versions}
        for file in self._kept.glob(f"{PACKAGE}_*.deb"):
            if file.name not in keep:
                file.unlink()

    def _newer(self, one: str, other: str) -> bool:
        return not subprocess.run(["dpkg", "--compare-versions", one, "gt", other], env=_ENVIRONMENT).returncode

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(command, capture_output=True, text=True, env=_ENVIRONMENT, cwd=cwd)
        if done.returncode:
            said = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
            raise UpdateError(f"{command[0]} {command[1]}: {said}")
        return done.stdout.strip()
