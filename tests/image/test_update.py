"""Updates from a signed source, as a hospital would have one, by the box's own updater."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.image.conftest import Installed
from tests.image.test_package import installed
from tests.image.variants import repacked
from tests.integration.conftest import BOX, TOPICS, Hospital

UNIT, UPDATE = "rehabbox.service", "rehabbox-update.service"
SITE_PACKAGES = "usr/lib/rehabbox/lib/python3.11/site-packages"
BREAKS_THE_SCORER = f"rm -r {SITE_PACKAGES}/mediapipe/modules/pose_landmark"
BREAKS_THE_DAEMON = f"rm -r {SITE_PACKAGES}/paho"


@dataclass
class Source:
    """A package source in a folder, signed by a key of its own."""

    folder: Path
    home: Path

    @classmethod
    def new(cls, folder: Path) -> Source:
        home = folder / "gnupg"
        home.mkdir(mode=0o700, parents=True)
        source = cls(folder / "source", home)
        source.folder.mkdir()
        source._gpg("--quick-gen-key", "packages@hospital.example", "ed25519", "sign", "1d")
        return source

    def _gpg(self, *arguments: str | Path) -> bytes:
        command = [
            "gpg",
            "--homedir",
            self.home,
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]
        return subprocess.run([*command, *arguments], capture_output=True, check=True).stdout

    @property
    def key(self) -> bytes:
        return self._gpg("--armor", "--export")

    def publish(self, *packages: Path) -> None:
        entries = []
        for package in packages:
            place = self.folder / package.name
            if not place.exists():
                os.link(package, place)
            control = subprocess.run(["dpkg-deb", "--field", place], capture_output=True, text=True, check=True).stdout
            digest = sha256(place.read_bytes()).hexdigest()
            entries.append(f"{control}Filename: ./{place.name}\nSize: {place.stat().st_size}\nSHA256: {digest}\n")
        index = "\n".join(entries).encode()
        (self.folder / "Packages").write_bytes(index)
        (self.folder / "Packages.gz").write_bytes(gzip.compress(index))
        sums = "".join(
            f" {sha256((self.folder / name).read_bytes()).hexdigest()} {(self.folder / name).stat().st_size} {name}\n"
            for name in ("Packages", "Packages.gz")
        )
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
        release = self.folder / "Release"
        release.write_text(f"Origin: hospital\nSuite: ./\nDate: {now}\nSHA256:\n{sums}")
        (self.folder / "InRelease").unlink(missing_ok=True)
        self._gpg("--clearsign", "--output", self.folder / "InRelease", release)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=True)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    made = Source.new(tmp_path / "hospital")
    yield made
    made.close()


@pytest.fixture
def current(image: Path, tmp_path: Path) -> Path:
    """The version that the image has."""
    version = subprocess.run(
        ["dpkg-deb", "--field", image / "package.deb", "Version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return Path(shutil.copy(image / "package.deb", tmp_path / f"rehabbox_{version}_amd64.deb"))


def boot_with(box: Installed, source: Source, gate_s: int = 60) -> None:
    box.machine.write("/etc/apt/keyrings/hospital.asc", source.key)
    box.machine.write(
        "/etc/apt/sources.list.d/rehabbox.sources",
        "Types: deb\nURIs: file:/srv/source\nSuites: ./\nSigned-By: /etc/apt/keyrings/hospital.asc\n",
    )
    box.machine.write(
        f"/etc/systemd/system/{UPDATE}.d/gate.conf",
        f"[Service]\nExecStart=\nExecStart=/usr/lib/rehabbox/bin/python -I -m appliance.update --gate-s {gate_s}\n",
    )
    box.machine.boot([f"--bind-ro={source.folder}:/srv/source"])
    box.machine.wait(UNIT)


def test_a_new_version_that_works_stays(box: Installed, source: Source, current: Path, newer: Path) -> None:
    source.publish(current, newer)
    boot_with(box, source)
    box.machine.run("systemctl", "start", UPDATE, timeout_s=900)
    assert installed(box.machine) == "9.0.0 installed"
    said = box.machine.journal("-u", UPDATE)
    assert "9.0.0 works" in said
    box.machine.wait(UNIT)
    kept = box.machine.run("ls", "/var/cache/rehabbox-update").split()
    assert sorted(kept) == [current.name.replace("_amd64", ""), "rehabbox_9.0.0.deb"], "the way back is kept"


def asked(hospital: Hospital, version: str, *outcomes: str) -> dict[str, Any]:
    """The last answer to `command/update`, when these have come."""
    now, own = datetime.now(UTC), {"id": str(uuid4()), "box": BOX, "version": version}
    times = {"issued": now.isoformat(), "expires": (now + timedelta(minutes=10)).isoformat()}
    hospital.client.publish(TOPICS.command("update"), json.dumps(own | times).encode())

    def answers() -> list[dict[str, Any]]:
        return [answer for answer in hospital.of("answer") if answer["id"] == own["id"]]

    hospital.wait(lambda heard: len(answers()) == len(outcomes), timeout_s=900)
    assert [answer["outcome"] for answer in answers()] == list(outcomes)
    return answers()[-1]


def test_the_hospital_asks_for_a_version_and_hears_when_it_works_or_why_it_cannot_be_had(
    box: Installed, hospital: Hospital, source: Source, current: Path, newer: Path
) -> None:
    source.publish(current, newer)
    boot_with(box, source)
    hospital.wait(lambda heard: bool(heard.of("status")))
    answer = asked(hospital, "9.1.0", "accepted", "failed")
    assert "9.1.0 is not newer than" in answer["reason"]
    before = installed(box.machine)
    answer = asked(hospital, "9.0.0", "accepted", "done")
    assert (answer["detail"], before != installed(box.machine)) == ("9.0.0 is installed and works", True)
    assert installed(box.machine) == "9.0.0 installed"


@pytest.mark.parametrize("fault", [BREAKS_THE_SCORER, BREAKS_THE_DAEMON], ids=["pose network", "daemon"])
def test_a_new_version_that_does_not_work_is_taken_back_and_the_hospital_hears_of_it(
    box: Installed, hospital: Hospital, source: Source, current: Path, image: Path, tmp_path: Path, fault: str
) -> None:
    box.settings(pose={"driver": "mediapipe"})
    source.publish(current, repacked(image, tmp_path / "new", "9.2.0", fault))
    boot_with(box, source)
    before = installed(box.machine)
    box.machine.run("systemctl", "start", UPDATE, check=False, timeout_s=1500)
    assert installed(box.machine) == before
    box.machine.wait(UNIT)
    hospital.wait(lambda heard: any(alert["code"] == "update_refused" for alert in heard.of("alert")))
    alert = next(alert for alert in hospital.of("alert") if alert["code"] == "update_refused")
    assert "9.2.0" in alert["what"]
    box.machine.run("systemctl", "start", UPDATE, timeout_s=900)
    assert "9.2.0 was tried and refused" in box.machine.journal("-u", UPDATE), "it is not tried again and again"


def test_a_session_is_not_disturbed(box: Installed, source: Source, current: Path, newer: Path) -> None:
    source.publish(current, newer)
    boot_with(box, source)
    before = installed(box.machine)
    box.machine.run("flock", "/var/lib/rehabbox/session.lock", "systemctl", "start", UPDATE, check=False, timeout_s=900)
    assert installed(box.machine) == before
    assert "a session is running" in box.machine.journal("-u", UPDATE)


def test_a_source_that_another_key_signed_is_refused(
    box: Installed, source: Source, current: Path, newer: Path, tmp_path: Path
) -> None:
    stranger = Source.new(tmp_path / "stranger")
    stranger.publish(current, newer)
    shutil.copytree(stranger.folder, source.folder, dirs_exist_ok=True)
    stranger.close()
    boot_with(box, source)
    before = installed(box.machine)
    box.machine.run("systemctl", "start", UPDATE, check=False, timeout_s=900)
    assert installed(box.machine) == before
    assert "no update" in box.machine.journal("-u", UPDATE)
