"""How an update decides. What apt, dpkg and systemd do is tested in the booted image (tests/image/test_update.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from appliance.errors import RehabBoxError
from appliance.recording.disk import write_whole
from appliance.update.box import Box
from appliance.update.packages import UpdateError
from appliance.update.record import Record, Trial, Verdict
from appliance.update.run import GATE_S, SESSION_RUNS, Clock, attend
from appliance.update.wish import UpdateOutcome, UpdaterAsked, Wish, Wishes

PROJECT = Path(__file__).parents[2]


class PowerCutError(BaseException):
    """The plug is pulled: nothing gets to say a word."""


class Plug:
    """Pulled before the step of that number, where one is named. A step is what something outside notices."""

    def __init__(self, pulled: int | None = None) -> None:
        self.pulled, self.steps = pulled, 0

    def step(self) -> None:
        if self.steps == self.pulled:
            raise PowerCutError
        self.steps += 1


class FakePackages:
    """apt's side: what is installed (None: half-way) and what there is. broken: versions that cannot be installed."""

    def __init__(self, newest: str | None = "2") -> None:
        self.named, self.newest, self.did = True, newest, list[str]()
        self.version: str | None = "1"
        self.broken, self.plug, self.online = set[str](), Plug(), True

    def repair(self) -> None:
        self._do("repair")

    def refresh(self) -> None:
        self._do("refresh")
        if not self.online:
            raise UpdateError("apt-get update: no network")

    def installed(self) -> str | None:
        return self.version

    def candidate(self, wanted: str | None = None) -> str | None:
        return self.newest if wanted in (None, self.newest) and (self.newest or "") > (self.version or "") else None

    def archive(self, version: str) -> str:
        self._do(f"fetch {version}")
        return version

    def install(self, archive: str) -> None:
        self._do(f"install {archive}")
        self.version = None
        self.plug.step()
        if archive in self.broken:
            raise UpdateError("dpkg: half-way")
        self.version = archive

    def keep_only(self, *versions: str) -> None:
        self._do(f"keep {' '.join(versions)}")

    def _do(self, what: str) -> None:
        self.plug.step()
        self.did.append(what)


class FakeBox:
    """systemd's and the doctor's side: faults by version."""

    def __init__(self, packages: FakePackages, free: bool = True, **faults: dict[str, str]) -> None:
        self.packages, self.free, self.by_version = packages, free, faults

    @contextmanager
    def reserve(self) -> Iterator[bool]:
        yield self.free

    def faults(self) -> dict[str, str]:
        self.packages.plug.step()
        return self.by_version.get(f"v{self.packages.version}", {})

    def restart(self) -> None:
        self.packages._do("restart")


@dataclass
class Desk:
    """Where daemon and updater leave word for each other, and the updater's own record."""

    asked: Path
    folder: Path
    daemon: UpdaterAsked
    wishes: Wishes
    record: Record

    def ask(self, version: str, minutes: float = 60.0) -> Wish:
        wish = Wish(version, uuid4(), datetime.now(UTC) + timedelta(minutes=minutes))
        assert "as soon as no session runs" in self.daemon.update(wish.version, wish.command, wish.expires)
        return wish

    def told(self, wish: Wish) -> UpdateOutcome | None:
        return self.daemon.outcome(wish.command)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return made_desk(tmp_path)


def made_desk(folder: Path) -> Desk:
    asked, updates, source = folder / "run" / "update-wanted", folder / "updates", folder / "rehabbox.sources"
    asked.parent.mkdir(parents=True)
    source.touch()
    return Desk(
        asked,
        updates,
        UpdaterAsked(asked, updates, source),
        Wishes(asked, updates),
        Record(updates / "record.json"),
    )


def run(packages: Any, box: Any, desk: Desk) -> tuple[int, float]:
    """Exit status, and how long it took."""
    now = [0.0]
    clock = Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    return attend(packages, box, desk.record, desk.wishes, GATE_S, clock), now[0]


def test_the_way_back_is_on_disk_before_anything_changes(desk: Desk) -> None:
    packages = FakePackages()
    assert run(packages, FakeBox(packages), desk)[0] == 0
    assert packages.did == ["repair", "refresh", "fetch 1", "fetch 2", "fetch 2", "install 2", "keep 1 2"]
    assert desk.record.verdict == Verdict("2", None, None)
    assert desk.record.why is None


def test_a_version_that_is_not_good_within_the_time_is_taken_back_and_not_tried_again(desk: Desk) -> None:
    packages = FakePackages()
    box = FakeBox(packages, v2={"camera": "no frame"})
    status, took_s = run(packages, box, desk)
    assert (status, packages.version) == (1, "1")
    assert GATE_S - 10 <= took_s <= GATE_S
    assert packages.did[-3:] == ["install 1", "keep 1", "restart"]
    assert desk.record.why == "2 does not work: camera: no frame"
    assert run(packages, box, desk)[0] == 0
    assert packages.did[-1] == "refresh"
    packages.newest = "3"
    assert run(packages, box, desk)[0] == 0
    assert (packages.version, desk.record.why) == ("3", None)


def test_sensors_that_were_away_before_do_not_count_against_a_new_version_but_its_own_faults_do(
    tmp_path: Path,
) -> None:
    packages = FakePackages()
    away = {"imu": "not charged"}
    assert run(packages, FakeBox(packages, v1=away, v2=away), made_desk(tmp_path / "away"))[0] == 0
    packages = FakePackages()
    dead = {"daemon": "it does not run"}
    assert run(packages, FakeBox(packages, v1=dead, v2=dead), made_desk(tmp_path / "dead"))[0] == 1


def test_nothing_is_touched_while_a_session_runs(desk: Desk) -> None:
    packages, wish = FakePackages(), desk.ask("2")
    assert run(packages, FakeBox(packages, free=False), desk) == (SESSION_RUNS, 0.0)
    assert (packages.did, desk.told(wish)) == ([], None)


def test_an_update_that_waited_until_its_command_expired_is_not_begun_and_told_so(desk: Desk) -> None:
    packages, wish = FakePackages(), desk.ask("2", minutes=0.001)
    assert run(packages, FakeBox(packages, free=False), desk)[0] == SESSION_RUNS
    while datetime.now(UTC) < wish.expires:
        pass
    assert run(packages, FakeBox(packages), desk)[0] == 0
    told = desk.told(wish)
    assert told is not None
    assert (packages.did, told.installed, told.expired) == ([], False, True)
    assert "it expired before 2 could be installed" in told.what


def test_a_package_that_cannot_be_installed_is_taken_back(desk: Desk) -> None:
    packages = FakePackages()
    packages.broken = {"2"}
    assert run(packages, FakeBox(packages), desk)[0] == 1
    assert packages.version == "1"
    assert desk.record.why == "2 does not work: installation: dpkg: half-way"


WORKS = UpdateOutcome(True, "2 is installed and works")
LOST = UpdateOutcome(False, "it was lost in a power cut before it began; ask again with a new id")


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked for", "found"])
@pytest.mark.parametrize("kind", ["works", "does not work", "cannot be installed"])
def test_a_power_cut_at_any_instant_leads_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, is_asked: bool
) -> None:
    """Every write of the updater and everything it has done is a step; after each the plug is pulled once."""
    why = {"does not work": "camera: no frame", "cannot be installed": "installation: dpkg: half-way"}.get(kind)
    steps = cut = 0
    while cut <= steps:
        desk, packages, plug = made_desk(tmp_path / f"{cut}"), FakePackages(), Plug(cut or None)
        packages.broken = {"2"} if kind == "cannot be installed" else set()
        box = FakeBox(packages, v2={"camera": "no frame"} if kind == "does not work" else {})
        wish = desk.ask("2") if is_asked else None
        with monkeypatch.context() as patched:
            patched.setattr(packages, "plug", plug)
            for name in ("replace", "unlink"):
                patched.setattr(Path, name, stepping(getattr(Path, name), plug, desk.folder))
            try:
                run(packages, box, desk)
            except PowerCutError:
                for file in desk.asked.parent.iterdir():
                    file.unlink()
        steps, place = max(steps, plug.steps), f"{kind}, step {cut}"
        if wish is not None and not (desk.folder / "wanted").exists() and not (desk.folder / "outcome.json").exists():
            assert desk.told(wish) == LOST, place
            assert packages.did == [], place
            wish = None
        if wish is not None and desk.record.verdict is None:
            assert desk.told(wish) is None, place
        decided = desk.record.verdict is not None or (desk.record.trial is not None and desk.record.trial.why)
        packages.did.clear()
        packages.online = desk.record.trial is None and desk.record.verdict is None
        run(packages, box, desk)
        packages.online = True
        assert desk.record.trial is None, place
        assert (packages.version, desk.record.why) == (("1", f"2 does not work: {why}") if why else ("2", None)), place
        assert not (decided and "install 2" in packages.did), place
        if wish is not None:
            assert desk.told(wish) == (UpdateOutcome(False, f"2 does not work: {why}") if why else WORKS), place
        packages.did.clear()
        assert run(packages, box, desk)[0] == 0, place
        assert packages.did == ["repair", "refresh"], place
        cut += 1
    assert steps > 10


def stepping(do: Any, plug: Plug, folder: Path) -> Any:
    def step(self: Path, *arguments: Any, **options: Any) -> Any:
        if (folder in self.parents and not self.name.endswith(".tmp")) or arguments:
            plug.step()
        return do(self, *arguments, **options)

    return step


def test_a_version_put_there_by_hand_in_the_middle_of_a_trial_stays(desk: Desk) -> None:
    packages = FakePackages("3")
    packages.version = "3"
    desk.record.begin(Trial("1", "2", frozenset()))
    assert run(packages, FakeBox(packages, v3={"camera": "no frame"}), desk)[0] == 0
    assert (packages.version, desk.record.trial, desk.record.why) == ("3", None, None)


@pytest.mark.parametrize("key", ["before", "version", "faults", "command", "why", "state"])
def test_a_damaged_record_counts_as_none(desk: Desk, key: str) -> None:
    desk.record.begin(Trial("1", "2", frozenset()))
    file = desk.folder / "record.json"
    values = json.loads(file.read_bytes())
    for damaged in ({one: value for one, value in values.items() if one != key}, values | {key: 7}, [values]):
        file.write_text(json.dumps(damaged))
        record = Record(file)
        if damaged == values | {key: 7} and key in ("before", "version", "why"):
            continue  # still a word
        assert (record.trial, record.verdict, record.why) == (None, None, None)


def test_the_updater_needs_nothing_that_an_update_exchanges() -> None:
    """It runs on Python's own library, without a single package of the environment."""
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import appliance.update.__main__"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_version_that_the_hospital_asks_for_is_tried_again_and_no_other_in_its_place(desk: Desk) -> None:
    packages = FakePackages()
    assert run(packages, FakeBox(packages, v2={"camera": "no frame"}), desk)[0] == 1
    wish = desk.ask("2")
    assert run(packages, FakeBox(packages), desk)[0] == 0
    assert (packages.version, desk.told(wish)) == ("2", WORKS)
    wish = desk.ask("3")
    assert run(packages, FakeBox(packages), desk)[0] == 1
    told = desk.told(wish)
    assert told is not None
    assert "3 is not newer than 2" in told.what


def test_what_the_daemon_asks_for_waits_with_the_updater_until_it_is_fulfilled(desk: Desk) -> None:
    wish = desk.ask("1.2")
    assert desk.told(wish) is None
    assert (desk.wishes.take(), desk.asked.exists(), desk.wishes.take()) == (wish, False, wish)
    assert desk.told(wish) is None
    desk.wishes.fulfil(wish, UpdateOutcome(True, "1.2 is installed"))
    assert desk.wishes.take() is None
    assert desk.told(wish) == UpdateOutcome(True, "1.2 is installed")


def test_a_wish_that_came_while_another_was_fulfilled_is_kept(desk: Desk) -> None:
    first = desk.ask("1.2")
    assert desk.wishes.take() == first
    second = desk.ask("1.3")
    desk.wishes.fulfil(first, UpdateOutcome(True, "1.2 is installed"))
    assert desk.wishes.take() == second


def test_a_wish_that_came_during_the_trial_of_another_is_fulfilled_after_it(desk: Desk) -> None:
    packages = FakePackages("3")
    desk.record.begin(Trial("1", "2", frozenset(), uuid4()))
    wish = desk.ask("3")
    assert run(packages, FakeBox(packages, v2={"camera": "no frame"}), desk)[0] == 0
    assert packages.version == "3"
    told = desk.told(wish)
    assert told is not None
    assert told.installed


def test_a_wish_that_a_power_cut_took_is_told_as_lost(desk: Desk) -> None:
    wish = desk.ask("1.2")
    desk.asked.unlink()
    assert desk.told(wish) == LOST


def test_only_a_box_with_the_package_and_a_source_can_be_asked(tmp_path: Path) -> None:
    daemon = UpdaterAsked(tmp_path / "run" / "update-wanted", tmp_path, tmp_path / "rehabbox.sources")
    assert not daemon.there
    (tmp_path / "run").mkdir()
    assert daemon.there
    with pytest.raises(RehabBoxError, match=r"rehabbox\.sources"):
        daemon.update("1.2", uuid4(), datetime.now(UTC))


def test_a_word_that_comes_while_another_is_taken_is_not_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = desk.ask("1.2"), list[Wish]()

    def kept_slowly(file: Path, data: bytes) -> None:
        write_whole(file, data)
        later.append(desk.ask("1.3"))

    with monkeypatch.context() as slow:
        slow.setattr("appliance.update.wish.write_whole", kept_slowly)
        assert desk.wishes.take() == first
    assert desk.told(later[0]) is None
    assert desk.wishes.take() == later[0]


def test_a_word_that_the_updater_was_ended_over_is_taken_by_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = desk.ask("1.2")

    def ended(file: Path, data: bytes) -> None:
        raise PowerCutError

    with monkeypatch.context() as cut:
        cut.setattr("appliance.update.wish.write_whole", ended)
        with pytest.raises(PowerCutError):
            desk.wishes.take()
    assert desk.told(asked) is None
    assert desk.wishes.take() == asked


def test_a_disk_that_takes_no_package_is_told_to_who_asked(desk: Desk) -> None:
    class Full(FakePackages):
        def archive(self, version: str) -> str:
            raise OSError(28, "No space left on device", "/var/cache/rehabbox-update")

    packages, asked = Full(), desk.ask("2")
    assert run(packages, FakeBox(packages), desk)[0] == 1
    told = desk.told(asked)
    assert told is not None
    assert "No space left on device: '/var/cache/rehabbox-update'" in told.what


@pytest.mark.parametrize("report", ["[]", '{"checks": null}', '{"checks": [1]}', "{}", "", None])
def test_a_doctor_without_a_report_that_can_be_read_is_a_fault(tmp_path: Path, report: str | None) -> None:
    file, doctor = tmp_path / "report.json", tmp_path / "systemctl"
    doctor.write_text("#!/bin/sh\n" + (f"[ $1 = start ] && echo '{report}' >{file}\n" if report is not None else ""))
    doctor.chmod(0o755)
    assert "it gave no report" in Box(tmp_path, file, str(doctor)).faults()["doctor"]


@pytest.mark.skipif(os.geteuid() != 0, reason="an updater is root")
def test_the_lock_that_an_updater_made_is_the_daemons(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    (tmp_path / "session.lock").touch(0o600)  # root's, as an updater left it before
    with Box(tmp_path).reserve() as free:
        assert free
    made = (tmp_path / "session.lock").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (65534, 65534, 0o600)


def test_a_daemon_gone_wrong_leads_the_updater_nowhere(desk: Desk, tmp_path: Path) -> None:
    until = datetime.now(UTC).isoformat()
    (tmp_path / "elsewhere").write_text(f"9.9 {uuid4()} {until}")
    desk.asked.symlink_to(tmp_path / "elsewhere")
    assert desk.wishes.take() is None
    for word in (
        f"1.0; reboot {uuid4()} {until}",
        "1.0",
        f"1.0 {uuid4()}",
        f"1.0 {uuid4()} {until} more",
        f"1.0 {'-' * 36} {until}",
        f"1.0 {uuid4()} {until[:19]}",
        f"1.0 {uuid4()} {'9' * 32}",
    ):
        desk.asked.write_text(word)
        assert desk.wishes.take() is None
