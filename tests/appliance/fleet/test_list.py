"""The list of boxes: whole or not at all, the same list again changes nothing, and everything is written down."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import FleetError, RehabBoxError
from appliance.fleet import transaction
from appliance.fleet.fleet import Fleet
from appliance.fleet.founding import make_fleet
from appliance.recording.disk import lock_folder

FLEET = Path("fleet")


def boxes_csv(number: int, header: str = "box,serial,note") -> Path:
    file = Path("boxes.csv")
    file.write_text("\n".join([header, *(f"box-{i},RB-{i:04d},ward {i % 7}" for i in range(number))]) + "\n")
    return file


def contents() -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in FLEET.rglob("*") if file.is_file()}


def test_five_hundred_boxes_twice_the_second_time_changes_nothing(clinic: Any) -> None:
    file = boxes_csv(500)
    assert json.loads(clinic("add", "--csv", file, "--dry-run", "--json").stdout) == {
        "added": 500, "changed": 0, "same": 0, "retired": 0, "dry_run": True,
    }  # fmt: skip
    assert clinic("list", "--json").stdout == '{"boxes": [], "users": []}\n'
    assert "500 boxes: 500 added, 0 changed, 0 same" in clinic("add", "--csv", file).stdout
    before = contents()
    assert "500 boxes: 0 added, 0 changed, 500 same" in clinic("add", "--csv", file).stdout
    assert contents() == before
    listed = json.loads(clinic("list", "--json").stdout)["boxes"]
    assert len(listed) == 500
    assert listed[0] == {
        "box": "box-0", "site": "clinic", "serial": "RB-0000", "note": "ward 0", "state": "waiting",
        "certificate": None, "until": None,
    }  # fmt: skip


def test_what_a_list_says_anew_is_changed_and_written_down(clinic: Any) -> None:
    clinic("add", "--csv", boxes_csv(3))
    file = Path("boxes.csv")
    file.write_text(file.read_text().replace("RB-0001", "RB-9"))
    assert "3 boxes: 0 added, 1 changed, 2 same" in clinic("add", "--csv", file).stdout
    entries = [json.loads(line) for line in clinic("audit").stdout.splitlines()]
    assert [entry["what"] for entry in entries] == ["init", "add", "add", "add", "change"]
    assert (entries[-1]["box"], entries[-1]["serial"]) == ("box-1", "RB-9")
    assert all(entry["who"] and entry["at"] for entry in entries)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("box\nbox-1\nbo x\nbox-1\n", r"line 3: box: 'bo x'.*; line 4: box: 'box-1' is there twice"),
        ("box\n" + "a/b\n" * 9, r"line 6: .*; and 4 more$"),
        ("box,site\nbox-1,elsewhere\n", r"line 2: site: 'elsewhere' is none of clinic"),
        ("name,serial\nbox-1,1\n", "no column box"),
        ("", "no column box"),
        ("box\n", "holds no box"),
        ("box,note\nbox-1," + "x" * 201 + "\n", "line 2: note: at most 200"),
        ("box,note\nbox-1,a\x07b\n", "line 2: note: "),
        ('box,note\nbox-1,"open\n', "line 2: "),
        ("box\nb\xf6x\n", "line 2: box: "),
        ("box,Box\nbox-1,box-2\n", "two columns box"),
        ("box,note\nbox-1,a\u2028box-2\n", "line 2: note: "),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_no_row_counts(clinic: Any, text: str, why: str) -> None:
    Path("boxes.csv").write_text(text)
    before = contents()
    with pytest.raises(FleetError, match=why) as caught:
        raise clinic("add", "--csv", "boxes.csv").exception
    assert str(caught.value).startswith("boxes.csv: ")
    assert "\n" not in str(caught.value)
    assert contents() == before


def test_a_list_as_spreadsheets_write_it_is_read(clinic: Any) -> None:
    Path("boxes.csv").write_bytes("\ufeffBox;Serial;Location\r\nbox-1;RB-1;ward\r\n;;\r\n".encode())
    assert "1 box: 1 added" in clinic("add", "--csv", "boxes.csv").stdout
    Path("boxes.csv").write_bytes(b"box\nb\xff\n")
    assert "is not UTF-8" in str(clinic("add", "--csv", "boxes.csv").exception)


def test_a_second_process_waits_a_little_and_is_turned_away(clinic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "LONGEST_WAIT_S", 0.2)
    with lock_folder(FLEET):
        assert "another rehabbox works there" in str(clinic("add", "box-1").exception)
    assert clinic("add", "box-1").exception is None


def test_a_fleet_is_made_once_and_its_folder_is_named_where_there_is_none(it: Any) -> None:
    assert "fleet.toml" in str(it("list").exception)
    it("init", "--site", "clinic", "--broker", "localhost")
    before = contents()
    assert "is a fleet's folder already" in str(it("init", "--site", "clinic", "--broker", "localhost").exception)
    assert contents() == before
    assert FLEET.stat().st_mode & 0o777 == 0o700
    assert {file.name for file in FLEET.iterdir() if file.stat().st_mode & 0o077 == 0} >= {
        "ca.key", "reference-signing.key", "fleet.sqlite", "audit.jsonl",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda lines: [*lines[:2], lines[2].replace("box-1", "box-9"), *lines[3:]], "line 4 was changed, or a line"),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3 was changed, or a line before it was taken out"),
        (lambda lines: lines[:-1], "has 3 lines, and 4 were written"),
        (lambda lines: [*lines[:-1], lines[-1].replace("box-2", "box-9")], "line 4 was changed"),
        (lambda lines: [*lines, lines[-1]], "line 5 was changed, or a line before it"),
        (lambda lines: [*lines, "", ""], "line 5 was changed, or a line before it"),
        (lambda lines: [*lines[:-1], "no JSON"], "line 4 was changed"),
    ],
)
def test_a_log_that_was_tampered_with_says_in_which_line(
    clinic: Any, damage: Callable[[list[str]], list[str]], why: str
) -> None:
    clinic("add", "--csv", boxes_csv(3))
    assert clinic("audit", "--verify").return_value == 0
    log = FLEET / "audit.jsonl"
    log.write_text("\n".join(damage(log.read_text().splitlines())) + "\n")
    verified = clinic("audit", "--verify")
    assert verified.return_value == 1
    assert why in verified.stderr


@pytest.mark.parametrize("line", [b"\xff", b"[" * 100_000])
def test_a_log_with_bytes_put_in_is_shown_and_said_not_to_be_whole(clinic: Any, line: bytes) -> None:
    with (FLEET / "audit.jsonl").open("ab") as log:
        log.write(line)
    for options in ((), ("--verify",)):
        said = clinic("audit", *options)
        assert said.return_value == 1
        assert "line 2 was changed" in said.stderr
    assert '"what": "init"' in clinic("audit").stdout


def test_a_log_that_is_gone_is_said_not_to_be_whole(clinic: Any) -> None:
    (FLEET / "audit.jsonl").unlink()
    for options in ((), ("--verify",)):
        said = clinic("audit", *options)
        assert said.return_value == 1
        assert "has 0 lines, and 1 were written" in said.stderr


def test_a_change_that_was_killed_before_it_was_committed_left_no_line(clinic: Any) -> None:
    killed = (
        "from pathlib import Path; import os; from appliance.fleet.fleet import Fleet\n"
        "with Fleet(Path('fleet')) as fleet:\n"
        "    with fleet.change() as note:\n"
        "        fleet.store.put_user('x', 'reader')\n"
        "        fleet.audit.append(fleet.store.head, [{'what': 'user', 'user': 'x'}])\n"
        "        os._exit(9)\n"
    )
    clinic("add", "box-1")
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == 9
    assert len((FLEET / "audit.jsonl").read_text().splitlines()) == 3
    clinic("add", "box-2")
    assert json.loads(clinic("list", "--json").stdout)["users"] == []
    assert clinic("audit", "--verify").return_value == 0


def test_a_line_that_a_full_disk_cut_short_is_not_in_the_way_of_the_next_change(clinic: Any) -> None:
    clinic("add", "box-1")
    with (FLEET / "audit.jsonl").open("ab") as log:
        log.write(b'{"number": 3, "at": "20')
    assert "line 3 was changed" in clinic("audit", "--verify").stderr
    clinic("add", "box-2")
    assert clinic("audit", "--verify").return_value == 0


def test_a_name_is_one_line_and_a_note_is_shown_as_it_is(clinic: Any) -> None:
    for command in (("add", "box-1\n"), ("user", "ward\n", "--role", "reader")):
        assert "letters, digits" in str(clinic(*command).exception)
    clinic("add", "box-1", "--note", "[/red] :bee:")
    assert "[/red] :bee:" in clinic("list").stdout


def test_settings_that_are_wrong_name_file_and_key(clinic: Any) -> None:
    settings = FLEET / "fleet.toml"
    settings.write_text(settings.read_text().replace("port = 8883", "port = 0"))
    with pytest.raises(FleetError, match=r"fleet/fleet\.toml: broker\.port: "):
        Fleet(FLEET)
    settings.write_text(f"port = {'1' * 5000}")
    with pytest.raises(FleetError, match=r"fleet/fleet\.toml: not valid TOML: a number has too many digits"):
        Fleet(FLEET)


def test_a_damaged_page_of_the_database_is_told(clinic: Any) -> None:
    clinic("add", "--csv", boxes_csv(500))
    file = FLEET / "fleet.sqlite"
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    for arguments in (("list",), ("add", "box-9"), ("revoke", "box-1")):
        assert "fleet.sqlite: database disk image is malformed" in str(clinic(*arguments).exception)


def test_of_two_who_make_the_same_fleet_one_is_turned_away(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"

    def make(_: int) -> str:
        try:
            make_fleet(folder, ("clinic",), ("localhost", 8883), 8884)
        except FleetError as error:
            return str(error)
        return "made"

    with ThreadPoolExecutor(3) as pool:
        said = sorted(pool.map(make, range(3)))
    assert said == [f"{folder}: is a fleet's folder already; change its fleet.toml"] * 2 + ["made"]
    with Fleet(folder) as fleet:
        assert fleet.audit.verify(fleet.store.head) is None


def test_what_no_fleet_can_be_made_with_leaves_nothing(it: Any) -> None:
    Path("phrase").write_text("x" * 1024)
    start = ("init", "--broker", "localhost", "--site")
    said = it(*start, "clinic", "--passphrase-file", "phrase").exception
    assert "this passphrase cannot protect" in str(said)
    assert "nothere.pem: cannot be read" in str(it(*start, "clinic", "--ca", "nothere.pem").exception)
    assert "sites.0" in str(it(*start, "a/b").exception)
    assert not FLEET.exists()


def test_a_database_that_is_none_is_told(clinic: Any) -> None:
    (FLEET / "fleet.sqlite").write_bytes(b"no database at all" * 100)
    assert isinstance(clinic("list").exception, RehabBoxError)
    (FLEET / "fleet.sqlite").write_bytes(b"")
    assert "holds no fleet; put it back from a backup" in str(clinic("list").exception)
    (FLEET / "fleet.sqlite").unlink()
    (FLEET / "fleet.sqlite").mkdir()
    assert "fleet.sqlite: unable to open" in str(clinic("list").exception)
    (FLEET / "fleet.sqlite").rmdir()
    with sqlite3.connect(FLEET / "fleet.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    assert "newer rehabbox" in str(clinic("list").exception)
