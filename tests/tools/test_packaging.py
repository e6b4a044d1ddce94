"""The package's parts that can be judged without building it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGING = PROJECT / "tools" / "packaging"


@pytest.fixture
def bill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(PACKAGING))
    from sbom import bill_of_materials

    return lambda folder=Path(sys.prefix, "lib/python3.11/site-packages"): bill_of_materials(
        folder, PROJECT / "requirements.lock", "1.2.3"
    )


def test_the_bill_of_materials_names_every_distribution_with_version_licence_and_the_locks_hashes(bill: Any) -> None:
    made = bill()
    numpy = next(part for part in made["components"] if part["name"] == "numpy")
    lock = (PROJECT / "requirements.lock").read_text()
    digests = re.findall(r"sha256:(\w{64})", re.search(r"\nnumpy==.*?(?=\n\S)", lock, re.DOTALL)[0])
    assert numpy["purl"] == f"pkg:pypi/numpy@{version('numpy')}"
    assert numpy["licenses"] == [{"license": {"name": "BSD License"}}]
    assert sorted(digests) == [one["content"] for one in numpy["externalReferences"][0]["hashes"]]
    assert made["metadata"]["component"]["version"] == "1.2.3"
    assert made["dependencies"][0]["dependsOn"] == [part["bom-ref"] for part in made["components"]]


def test_the_same_environment_has_the_same_bill(bill: Any) -> None:
    assert bill() == bill()


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm", "stick"])
def test_the_maintainer_scripts_are_plain_shell(script: str) -> None:
    done = subprocess.run(["dash", "-n", PACKAGING / script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shipped_settings_are_taken_once_devices_and_broker_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from appliance.settings import load_settings

    file = tmp_path / "settings.toml"
    text = (PACKAGING / "settings.toml").read_text()
    offered = re.sub(r"^# (?=[a-z\[])", "", text, flags=re.MULTILINE)
    offered = offered[offered.index("log_level") :]
    file.write_text(offered)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/c")
    settings = load_settings(file)
    assert settings.broker.key == Path("/run/c/rehabbox.key")
    assert settings.camera["driver"] == "kinect"
