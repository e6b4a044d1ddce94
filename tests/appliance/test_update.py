"""How an update decides. What apt, dpkg and systemd do is tested in the booted image (tests/image/test_update.py)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from appliance.errors import RehabBoxError
from appliance.update.packages import UpdateError
from appliance.update.record import Record
from appliance.update.run import GATE_S, SESSION_RUNS, Clock, update
from appliance.update.wish import UpdateOutcome, UpdaterAsked, Wish, fulfilled, take

PROJECT = Path(__file__).parents[2]


class FakePackages:
    """apt's side: what is installed and what there is."""

    def __init__(self, newest: str | None = "2") -> None:
        self.named, self.version, self.newest, self.did = True, "1", newest, list[str]()
        self.broken = False

    def repair(self) -> None:
        self.did.append("repair")

    def refresh(self) -> None:
        self.did.append("refresh")

    def installed(self) -> str:
        return self.version

    def candidate(self, wanted: str | None = None) -> str | None:
        return self.newest if wanted in (None, self.newest) else None

    def archive(self, version: str) -> str:
        self.did.append(f"fetch {version}")
        return version

    def install(self, archive: str) -> None:
        if self.broken and archive == self.newest:
            raise UpdateError("dpkg: half-way")
        self.did.append(f"install {archive}")
        self.version = archive

    def keep_only(self, *versions: str) -> None:
        self.did.append(f"keep {' '.join(versions)}")


class FakeBox:
    """systemd's and the doctor's side: faults by version."""

    def __init__(self, packages: FakePackages, free: bool = True, **faults: dict[str, str]) -> None:
        self.packages, self.free, self.by_version = packages, free, faults

    @contextmanager
    def reserve(self) -> Iterator[bool]:
        yield self.free

    def faults(self) -> dict[str, str]:
        return self.by_version.get(f"v{self.packages.version}", {})

    def restart(self) -> None:
        self.packages.did.append("restart")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "updates" / "record.json")


def run(packages: Any, box: Any, record: Record, wanted: str | None = None) -> tuple[int, float]:
    """Exit status, and how long it took."""
    now = [0.0]
    clock = Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    return update(packages, box, record, wanted, GATE_S, clock), now[0]


def test_the_way_back_is_on_disk_before_anything_changes(record: Record) -> None:
    packages = FakePackages()
    assert run(packages, FakeBox(packages), record)[0] == 0
    assert packages.did == ["repair", "refresh", "fetch 1", "fetch 2", "install 2", "keep 1 2"]
    assert record.trial is None
    assert record.why is None


def test_a_version_that_is_not_good_within_the_time_is_taken_back_and_not_tried_again(record: Record) -> None:
    packages = FakePackages()
    box = FakeBox(packages, v2={"camera": "no frame"})
    status, took_s = run(packages, box, record)
    assert (status, packages.version) == (1, "1")
    assert GATE_S - 10 <= took_s <= GATE_S
    assert packages.did[-3:] == ["install 1", "keep 1", "restart"]
    assert record.why == "2 does not work: camera: no frame"
    assert run(packages, box, record)[0] == 0
    assert packages.did[-1] == "refresh"
    packages.newest = "3"
    assert run(packages, box, record)[0] == 0
    assert (packages.version, record.why) == ("3", None)


def test_sensors_that_were_away_before_do_not_count_against_a_new_version_but_its_own_faults_do(record: Record) -> None:
    packages = FakePackages()
    away = {"imu": "not charged"}
    assert run(packages, FakeBox(packages, v1=away, v2=away), record)[0] == 0
    packages = FakePackages()
    dead = {"daemon": "it does not run"}
    assert run(packages, FakeBox(packages, v1=dead, v2=dead), record)[0] == 1


def test_nothing_is_touched_while_a_session_runs(record: Record) -> None:
    packages = FakePackages()
    assert run(packages, FakeBox(packages, free=False), record) == (SESSION_RUNS, 0.0)
    assert packages.did == []


def test_a_power_cut_before_the_verdict_is_followed_by_the_verdict(record: Record) -> None:
    packages = FakePackages()
    packages.version = "2"
    record.begin("1", "2", frozenset())
    assert run(packages, FakeBox(packages, v2={"broker": "refused"}), record)[0] == 1
    assert packages.version == "1"


def test_a_package_that_cannot_be_installed_is_taken_back(record: Record) -> None:
    packages = FakePackages()
    packages.broken = True
    assert run(packages, FakeBox(packages), record)[0] == 1
    assert packages.version == "1"
    assert record.why == "2 does not work: installation: dpkg: half-way"


def test_the_updater_needs_nothing_that_an_update_exchanges() -> None:
    """It runs on Python's own library, without a single package of the environment."""
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import appliance.update.__main__"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_version_that_the_hospital_asks_for_is_tried_again_and_no_other_in_its_place(record: Record) -> None:
    packages = FakePackages()
    assert run(packages, FakeBox(packages, v2={"camera": "no frame"}), record)[0] == 1
    assert run(packages, FakeBox(packages), record, wanted="2")[0] == 0
    assert packages.version == "2"
    with pytest.raises(UpdateError, match="3 is not newer than 2"):
        run(packages, FakeBox(packages), record, wanted="3")


@dataclass
class Desk:
    """Where daemon and updater leave word for each other."""

    asked: Path
    folder: Path
    daemon: UpdaterAsked

    def take(self) -> Wish | None:
        return take(self.asked, self.folder)

    def fulfil(self, wish: Wish, outcome: UpdateOutcome) -> None:
        fulfilled(wish, outcome, self.folder)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    asked, folder, source = tmp_path / "run" / "update-wanted", tmp_path / "updates", tmp_path / "rehabbox.sources"
    asked.parent.mkdir()
    source.touch()
    return Desk(asked, folder, UpdaterAsked(asked, folder, source))


def test_what_the_daemon_asks_for_waits_with_the_updater_until_it_is_fulfilled(desk: Desk) -> None:
    wish = Wish("1.2", uuid4())
    assert "as soon as no session runs" in desk.daemon.update("1.2", wish.command)
    assert desk.daemon.outcome(wish.command) is None
    assert (desk.take(), desk.asked.exists(), desk.take()) == (wish, False, wish)
    assert desk.daemon.outcome(wish.command) is None
    desk.fulfil(wish, UpdateOutcome(True, "1.2 is installed"))
    assert desk.take() is None
    assert desk.daemon.outcome(wish.command) == UpdateOutcome(True, "1.2 is installed")


def test_a_wish_that_came_while_another_was_fulfilled_is_kept(desk: Desk) -> None:
    first, second = Wish("1.2", uuid4()), Wish("1.3", uuid4())
    desk.daemon.update("1.2", first.command)
    assert desk.take() == first
    desk.daemon.update("1.3", second.command)
    desk.fulfil(first, UpdateOutcome(True, "1.2 is installed"))
    assert desk.take() == second


def test_a_wish_that_a_power_cut_took_is_told_as_lost(desk: Desk) -> None:
    command = uuid4()
    desk.daemon.update("1.2", command)
    desk.asked.unlink()
    outcome = desk.daemon.outcome(command)
    assert outcome is not None
    assert (outcome.installed, "ask again" in outcome.what) == (False, True)


def test_only_a_box_with_the_package_and_a_source_can_be_asked(tmp_path: Path) -> None:
    daemon = UpdaterAsked(tmp_path / "run" / "update-wanted", tmp_path, tmp_path / "rehabbox.sources")
    assert not daemon.there
    (tmp_path / "run").mkdir()
    assert daemon.there
    with pytest.raises(RehabBoxError, match=r"rehabbox\.sources"):
        daemon.update("1.2", uuid4())


def test_a_daemon_gone_wrong_leads_the_updater_nowhere(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(f"9.9 {uuid4()}")
    desk.asked.symlink_to(tmp_path / "elsewhere")
    assert desk.take() is None
    for word in (f"1.0; reboot {uuid4()}", "1.0", f"1.0 {uuid4()} more", "1.0 " + "-" * 36):
        desk.asked.write_text(word)
        assert desk.take() is None
