"""The locked environment inside the package: a virtual environment that lies where it will run, `/usr/lib/rehabbox`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

AMD64, ARM64 = "amd64", "arm64"
HOME = Path("usr/lib/rehabbox")
PACKAGES = HOME / "lib/python3.11/site-packages"
SOURCES = ("systemd-python", "vqf")
"""Distributions that are built here, by the C compiler of the machine."""
WHEELS = [f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)] + ["manylinux2014_aarch64", "linux_aarch64"]
UNUSED = ("tests", "__pycache__")
"""Folders of other people's packages that a box does not run."""


class PackagingError(Exception):
    """The package cannot be built; the message says which step failed and why."""


class Environment:
    """`root` is the package's file system; `prepare` fills its environment from the lock, once."""

    def __init__(self, project: Path, folder: Path, arch: str) -> None:
        self.project, self.folder, self.arch = project, folder, arch
        self.root = folder / "root"
        self.packages = self.root / PACKAGES

    def prepare(self) -> list[str]:
        """Names of distributions that have no wheel for this architecture, and could not be built here."""
        locks = [self.project / name for name in ("requirements-build.lock", "requirements.lock")]
        wanted = sha256(b"".join(file.read_bytes() for file in locks) + Path(__file__).read_bytes()).hexdigest()
        stamp, missing = self.folder / "stamp", self.folder / "missing"
        if stamp.exists() and stamp.read_text() == wanted:
            return missing.read_text().split()
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        say("downloading the locked environment (minutes, once)")
        self._virtual_environment()
        left_out = self._install() if self.arch == AMD64 else self._install_wheels()
        self._strip()
        self.compile(self.packages)
        missing.write_text("\n".join(left_out))
        stamp.write_text(wanted)
        return left_out

    def _virtual_environment(self) -> None:
        home = self.root / HOME
        (home / "bin").mkdir(parents=True)
        self.packages.mkdir(parents=True)
        (home / "bin/python").symlink_to("/usr/bin/python3.11")
        (home / "bin/python3").symlink_to("python")
        (home / "pyvenv.cfg").write_text(
            "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\nexecutable = /usr/bin/python3.11\n"
        )

    def _install(self) -> list[str]:
        lock = self.project / "requirements.lock"
        _pip(
            "install", "--target", self.packages, "--require-hashes", "--use-pep517", "--no-build-isolation", "-r", lock
        )
        return []

    def _install_wheels(self) -> list[str]:
        """Without those that have none; pyk4a-bundle is for x86-64 alone, elsewhere pyk4a is built on the box."""
        lock = self.folder / "wheels.lock"
        text = (self.project / "requirements.lock").read_text("utf-8")
        entries = re.split(r"\n(?=\S)", text.strip())
        lock.write_text("\n".join(entry for entry in entries if _name(entry) not in (*SOURCES, "pyk4a-bundle")) + "\n")
        platforms = [word for wheel in WHEELS for word in ("--platform", wheel)]
        kind = ("--only-binary=:all:", "--implementation=cp", "--python-version=3.11")
        _pip("install", "--target", self.packages, "--require-hashes", *kind, *platforms, "-r", lock)
        return [*SOURCES, "pyk4a"]

    def compile(self, *folders: Path) -> bool:
        """Whether all Python files could be; other people's templates are none, and are left as they are.

        Here and once: the root may be read-only there, and a first start must not wait for it.
        """
        mode = ("--invalidation-mode", "unchecked-hash", "-j", "0", "-q", "-q")
        places = ("-s", self.packages, "-p", f"/{PACKAGES}")
        command = [sys.executable, "-m", "compileall", *mode, *places, *folders]
        return not subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode

    def _strip(self) -> None:
        shutil.rmtree(self.packages / "bin", ignore_errors=True)
        for folder in sorted(self.packages.rglob("*"), reverse=True):
            if folder.name in UNUSED and folder.is_dir():
                shutil.rmtree(folder)


def _name(entry: str) -> str:
    return re.split(r"[=\s;\[]", entry, maxsplit=1)[0].lower()


def _pip(*arguments: str | Path) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--root-user-action=ignore")
    run([sys.executable, "-m", "pip", arguments[0], *quiet, *arguments[1:]])


def run(command: list[str | Path]) -> None:
    """Raises `PackagingError` with the end of what the command said."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
        raise PackagingError(f"{' '.join(map(str, command[:4]))} ... failed:\n{said}")


def say(text: str) -> None:
    print(f"package: {text}", file=sys.stderr, flush=True)
