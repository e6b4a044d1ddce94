"""The Debian archive: control file, maintainer scripts, conffiles, and the tree, packed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from environment import run

HERE = Path(__file__).parent
SCRIPTS = ("postinst", "prerm", "postrm")


def build_package(root: Path, out: Path, version: str, arch: str, level: int) -> Path:
    """Packs `root`. Raises `PackagingError`."""
    control = root / "DEBIAN"
    shutil.rmtree(control, ignore_errors=True)
    control.mkdir()
    size = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    text = (HERE / "control").read_text("utf-8")
    (control / "control").write_text(text.format(version=version, arch=arch, size=size), "utf-8")
    conffiles = sorted(f"/{file.relative_to(root)}\n" for file in (root / "etc").rglob("*") if file.is_file())
    (control / "conffiles").write_text("".join(conffiles))
    for name in SCRIPTS:
        shutil.copyfile(HERE / name, control / name)
        (control / name).chmod(0o755)
    _sums(root, control / "md5sums")
    package = out / f"rehabbox_{version}_{arch}.deb"
    beside = out / f".{package.name}.{os.getpid()}.tmp"
    try:
        run(["dpkg-deb", "--root-owner-group", "-Zzstd", f"-z{level}", "--build", root, beside])
        beside.replace(package)
    finally:
        beside.unlink(missing_ok=True)
        shutil.rmtree(control)
    return package


def _sums(root: Path, file: Path) -> None:
    """As Debian keeps them, for `dpkg --verify`."""
    from hashlib import md5

    with file.open("w") as sums:
        for path in sorted(root.rglob("*")):
            place = path.relative_to(root)
            if path.is_file() and not path.is_symlink() and place.parts[0] not in ("DEBIAN", "etc"):
                sums.write(f"{md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {place}\n")
