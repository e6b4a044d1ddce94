"""Lays out what the package installs, beside the environment: software, units, configuration, documents, SBOM."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path

from environment import HOME, Environment, PackagingError, run
from sbom import bill_of_materials

UNITS = Path("usr/lib/systemd/system")
PLACES = {
    "rehabbox.sysusers": "usr/lib/sysusers.d/rehabbox.conf",
    "rehabbox.tmpfiles": "usr/lib/tmpfiles.d/rehabbox.conf",
    "60-rehabbox.rules": "usr/lib/udev/rules.d/60-rehabbox.rules",
}
LAUNCHER = """#!/usr/lib/rehabbox/bin/python -I
import sys
from appliance.cli import main
sys.exit(main())
"""


def lay_out(project: Path, environment: Environment, version: str) -> None:
    """Everything but the environment is laid out anew. Raises `PackagingError`."""
    root = environment.root
    for old in (*("appliance", "hal", "models"), *(file.name for file in environment.packages.glob("rehabbox-*"))):
        shutil.rmtree(environment.packages / old, ignore_errors=True)
    for folder in ("etc", "usr/bin", "usr/share", *(Path(place).parent for place in PLACES.values()), UNITS):
        shutil.rmtree(root / folder, ignore_errors=True)
    _software(project, environment)
    _units(project, root)
    _configuration(project, root)
    _prompts(project, root)
    _documents(project, root)
    bill = bill_of_materials(environment.packages, project / "requirements.lock", version)
    (root / HOME / "sbom.cdx.json").write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", "utf-8")
    if not environment.compile(environment.packages / "appliance", environment.packages / "hal"):
        raise PackagingError("the software itself could not be compiled")
    _plain_modes(root)


def _software(project: Path, environment: Environment) -> None:
    """As an ordinary distribution, so that its version is known; the classifier lies beside it."""
    packages = environment.packages
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
    ]
    source = environment.folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    for folder in ("appliance", "hal"):
        shutil.copytree(project / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(project / file, source / file)
    run([*pip, "--no-deps", "--no-compile", "--no-build-isolation", "--upgrade", "--target", packages, source])
    shutil.rmtree(packages / "bin", ignore_errors=True)
    models = [file for file in (project / "models").glob("*") if file.suffix in (".tflite", ".json")]
    if models:
        (packages / "models").mkdir()
        for file in models:
            shutil.copy2(file, packages / "models" / file.name)
    launcher = environment.root / HOME / "bin/rehabbox"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    shutil.copyfile(project / "tools/packaging/stick", environment.root / HOME / "stick")
    (environment.root / HOME / "stick").chmod(0o755)
    (environment.root / "usr/bin").mkdir(parents=True)
    (environment.root / "usr/bin/rehabbox").symlink_to("../lib/rehabbox/bin/rehabbox")


def _units(project: Path, root: Path) -> None:
    for unit in sorted((project / "systemd").iterdir()):
        if unit.name.endswith(".md"):
            continue
        place = root / PLACES.get(unit.name, UNITS / unit.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(unit, place)


def _configuration(project: Path, root: Path) -> None:
    """What a hospital may change; dpkg keeps its changes."""
    place = root / "etc/rehabbox"
    for folder in ("exercises", "broker"):
        shutil.copytree(project / "config" / folder, place / folder)
    shutil.copyfile(project / "tools/packaging/settings.toml", place / "settings.toml")
    tomllib.loads((place / "settings.toml").read_text("utf-8"))


def _prompts(project: Path, root: Path) -> None:
    """What the loudspeaker says, in every language there is. Raises `PackagingError` without espeak-ng."""
    run([project / "tools/prompts", "--out", root / "usr/share/rehabbox/prompts"])


def _documents(project: Path, root: Path) -> None:
    place = root / "usr/share/doc/rehabbox"
    place.mkdir(parents=True)
    for name in (
        "install.md",
        "enrolment.md",
        "broker.md",
        "requests.md",
        "privacy.md",
        "indicator.md",
        "kinect.md",
        "sensors.md",
        "scoring.md",
    ):
        shutil.copyfile(project / "docs" / name, place / name)
    licence = (project / "LICENSE").read_text("utf-8")
    (place / "copyright").write_text(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: rehabbox\n"
        "Comment: /usr/lib/rehabbox/sbom.cdx.json names every distribution inside, its version and its licence; the\n"
        " texts lie beside them in /usr/lib/rehabbox/lib/python3.11/site-packages/*.dist-info.\n\n"
        "Files: *\nCopyright: the authors of RehabBox\nLicense: Apache-2.0\n"
        + "".join(f" {line}\n" if line.strip() else " .\n" for line in licence.splitlines()),
        "utf-8",
    )


def _plain_modes(root: Path) -> None:
    for path in root.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
