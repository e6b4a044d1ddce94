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
    result = {"id": "1", "box": "[red]b[/red]", "exercise": "squat", "score": {"pose_dissimilarity": 0.5}}
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


def test_a_payload_that_is_none_of_a_boxs_changes_nothing() -> None:
    board = Board()
    for payload in (b"[" * 100_000, b"nonsense", b"\xff", b'{"id": "' + b"x" * MOST_BYTES + b'"}'):
        assert board.hear("rehabbox/1/s/b/result/squat", payload) is None
    assert (board.unreadable, len(board.boxes), len(board.results)) == (4, 0, 0)


def test_the_oldest_results_are_forgotten_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MOST_RESULTS", 3)
    board = Board()
    for number in range(5):
        board.hear("rehabbox/1/s/b/result/squat", json.dumps({"id": str(number)}).encode())
    assert list(board.results) == ["2", "3", "4"]


def test_a_correction_takes_the_place_of_what_was_measured_and_the_newest_counts() -> None:
    board = Board()
    corrected = {"replaces": "1", "action": "withdrawn"}
    for result in (
        {"id": "3", "sequence": 3, "status": "withdrawn", "correction": corrected},
        {"id": "1", "sequence": 1, "status": "scored"},
        {"id": "2", "sequence": 2, "status": "scored", "correction": corrected | {"action": "amended"}},
    ):
        board.hear("rehabbox/1/s/b/result/squat", json.dumps(result).encode())
    assert [(key, result["status"]) for key, result in board.results.items()] == [("1", "withdrawn")]


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
