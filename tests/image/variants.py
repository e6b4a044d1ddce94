"""The package under other versions, whole or broken on purpose."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def repacked(image: Path, folder: Path, version: str, script: str = "true") -> Path:
    """The package under another version, after a shell script was run in its tree. Files are linked, not copied."""
    tree = folder / "tree"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-al", image.parent / "package" / "amd64" / "root", tree], check=True)
    control = tree / "DEBIAN"
    subprocess.run(["dpkg-deb", "--control", image / "package.deb", control], check=True)
    text = (control / "control").read_text()
    before = next(line for line in text.splitlines() if line.startswith("Version: "))
    (control / "control").write_text(text.replace(before, f"Version: {version}"))
    settings = tree / "etc/rehabbox/settings.toml"
    changed = settings.read_text() + f"# of {version}\n"
    settings.unlink()  # another name of the image's own file
    settings.write_text(changed)
    subprocess.run(["sh", "-ec", script], cwd=tree, check=True)
    package = folder / f"rehabbox_{version}_amd64.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "--build", tree, package], check=True)
    shutil.rmtree(tree)
    return package
