"""The board holds what the broker's messages say; whatever they hold is shown as text."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from appliance.board import board as board_module
from appliance.board.board import MOST_BYTES, Board
from appliance.board.table import table_of


def test_what_a_message_holds_is_shown_as_text_and_copies_once() -> None:
    board = Board()
    result = {"id": "1", "subject": "[red]b[/red]", "exercise": "squat", "score": {"pose_dissimilarity": 0.5}}
    for _ in range(2):
        board.hear("rehabbox/1/s/b/result/squat", json.dumps(result).encode())
    board.hear("rehabbox/1/s/b/status", b"[]")
    board.hear("somewhere/else", b"{}")
    board.hear("rehabbox/1/s/b/alert/camera_lost", b'{"state": "raised", "what": "gone"}')
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(table_of(board, "broker", connected=True))
    shown = console.export_text()
    assert shown.count("squat") == 1
    assert "[red]b[/red]" in shown
    assert "0.500" in shown
    assert "camera_lost: gone" in shown
    assert "2 messages were not a box's" in shown
    board.hear("rehabbox/1/s/b/alert/camera_lost", b"")
    console.print(table_of(board, "broker", connected=False))
    later = console.export_text()
    assert "camera_lost" not in later
    assert "No connection" in later


def test_no_message_drives_the_terminal_and_null_is_nothing() -> None:
    board = Board()
    sign = "\x1b[2J\x1b]0;title\x07\x9b31m\u202e"
    board.hear(f"rehabbox/1/s{sign}/b{sign}/status", json.dumps({"state": sign, "since": None}).encode())
    board.hear(f"rehabbox/1/s/b/alert/lost{sign}", json.dumps({"state": "raised", "what": sign}).encode())
    board.hear("rehabbox/1/s/b/health", b'{"queued": null}')
    board.hear("rehabbox/1/s/b/result/squat", json.dumps({"id": "1", "subject": sign, "side": None}).encode())
    console = Console(width=200, file=io.StringIO())
    console.print(table_of(board, "broker", connected=True))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.replace("\n", "").isprintable()
    assert "?[2J?]0;title??31m?" in shown
    assert "None" not in shown


def test_a_payload_that_is_none_of_a_boxs_changes_nothing() -> None:
    board = Board()
    for payload in (
        b"[" * 100_000,
        b"nonsense",
        b"\xff",
        b'{"id": "' + b"x" * MOST_BYTES + b'"}',
        b'{"queued": NaN}',
        b'{"queued": 1e999}',
        b'{"state": "half a character: \\ud800"}',
        b'{"sequence": ' + b"9" * 10_000 + b"}",
    ):
        assert board.hear("rehabbox/1/s/b/result/squat", payload) is None, payload[:40]
    assert board.hear("rehabbox/1///status", b'{"state": "online"}') is None
    assert (board.unreadable, len(board.boxes), len(board.results)) == (9, 0, 0)


def test_a_box_corrects_its_own_results_alone_and_is_shown_by_its_topic_whatever_it_calls_itself() -> None:
    board = Board()
    board.hear("rehabbox/1/s/b/result/squat", b'{"id": "1", "sequence": 1, "status": "scored"}')
    forged = {"id": "2", "sequence": 9, "site": "s", "box": "b", "correction": {"replaces": "1", "action": "withdrawn"}}
    board.hear("rehabbox/1/s/other/result/squat", json.dumps(forged | {"status": "withdrawn"}).encode())
    shown = {key: (line["box"], line["status"]) for key, line in board.results.items()}
    assert shown == {"s/b/1": ("b", "scored"), "s/other/1": ("other", "withdrawn")}


def test_of_a_result_only_what_a_list_shows_is_kept_each_of_a_plain_type_and_short() -> None:
    board = Board()
    board.hear("rehabbox/1/s/b/result/squat", json.dumps({"id": "plain", "reason": None, "side": "left"}).encode())
    odd = {
        "subject": ["p"],
        "side": {"a": 1},
        "reason": "x" * 9000,
        "started": 5,
        "score": {"pose_dissimilarity": "0"},
    }
    odd |= {
        "quality": 3,
        "repetitions": [{"complete": "yes"}] * 2000,
        "sequence": "last",
        "correction": [],
        "more": [1],
    }
    board.hear("rehabbox/1/s/b/result/squat", json.dumps({"id": "odd", "status": 10**400, **odd}).encode())
    plain, kept = board.results.values()
    assert set(kept) == set(plain)
    assert all(isinstance(value, str | int | float | None) for value in kept.values())
    assert len(json.dumps(kept)) < 3000
    assert (kept["subject"], kept["side"], kept["pose_dissimilarity"], kept["complete"]) == ("", "", None, 0)


def test_a_broken_box_or_a_broker_without_rules_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MOST_BOXES", 3)
    monkeypatch.setattr(board_module, "MOST_ALERTS", 2)
    board = Board()
    for number in range(5):
        board.hear(f"rehabbox/1/s/b-{number}/status", b'{"state": "online"}')
        board.hear(f"rehabbox/1/s/b-0/alert/code_{number}", b'{"state": "raised"}')
    board.hear("rehabbox/1/s/b-0/alert/code_1", b'{"state": "raised", "what": "still"}')
    assert [name for _, name in board.boxes] == ["b-0", "b-1", "b-2"]
    assert board.boxes["s", "b-0"].alerts.keys() == {"code_0", "code_1"}
    assert board.boxes["s", "b-0"].alerts["code_1"]["what"] == "still"
    assert board.unreadable == 2 + 3
    board.hear("rehabbox/1/s/b-0/alert/code_0", b"")
    board.hear("rehabbox/1/s/b-0/alert/code_4", b'{"state": "raised"}')
    assert board.boxes["s", "b-0"].alerts.keys() == {"code_1", "code_4"}


def test_the_oldest_results_are_forgotten_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MOST_RESULTS", 3)
    board = Board()
    for number in range(5):
        board.hear("rehabbox/1/s/b/result/squat", json.dumps({"id": str(number)}).encode())
    assert list(board.results) == ["s/b/2", "s/b/3", "s/b/4"]


def test_a_box_that_repeats_itself_without_end_does_not_push_out_the_results_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board_module, "MOST_RESULTS", 5)
    monkeypatch.setattr(board_module, "MOST_RESULTS_OF_BOX", 2)
    board = Board()
    for box, number in (("a", 0), ("b", 0), ("loud", 0), ("loud", 1), ("loud", 2), ("loud", 3), ("b", 1)):
        board.hear(f"rehabbox/1/s/{box}/result/squat", json.dumps({"id": str(number)}).encode())
    assert list(board.results) == ["s/a/0", "s/b/0", "s/loud/2", "s/loud/3", "s/b/1"]


def test_a_correction_takes_the_place_of_what_was_measured_and_the_newest_counts() -> None:
    board = Board()
    corrected = {"replaces": "1", "action": "withdrawn"}
    for result in (
        {"id": "3", "sequence": 3, "status": "withdrawn", "correction": corrected},
        {"id": "1", "sequence": 1, "status": "scored"},
        {"id": "2", "sequence": 2, "status": "scored", "correction": corrected | {"action": "amended"}},
    ):
        board.hear("rehabbox/1/s/b/result/squat", json.dumps(result).encode())
    assert [(key, result["status"]) for key, result in board.results.items()] == [("s/b/1", "withdrawn")]


def test_of_many_boxes_those_in_trouble_are_shown_first_as_far_as_there_are_lines() -> None:
    board = Board()
    for number in range(2000):
        board.hear(f"rehabbox/1/s/box-{number:04}/status", b'{"state": "online"}')
        board.hear("rehabbox/1/s/box-0001/result/squat", json.dumps({"id": str(number)}).encode())
    board.hear("rehabbox/1/s/box-1999/alert/camera_lost", b'{"state": "raised", "what": "gone"}')
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(table_of(board, "broker", connected=False, height=30))
    shown = console.export_text()
    assert shown.count("\n") <= 30
    assert shown.index("box-1999") < shown.index("box-0000")
    assert "2000 boxes, 2000 online, 1 with alerts" in shown
    assert "more boxes do not fit here" in shown
    assert shown.index("No connection") < shown.index("Newest results")
