"""Whatever a box answers, the hospital's commands read it or refuse it in one line, and wait no longer than a day."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Self

import pytest

from appliance.hospital import asking
from appliance.hospital.client import Heard

Command = Callable[..., CompletedProcess[str]]
WHERE = ("mqtt://localhost", "--site", "clinic", "--box", "box-1")


@pytest.fixture
def box_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """What the box answers to the next question."""

    class Answered:
        payload = b""

        def __init__(self, *_: object) -> None:
            self._correlation = b""

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def publish(self, *_: object, correlation: bytes, **__: object) -> None:
            self._correlation = correlation

        def next(self, timeout_s: float) -> Heard:
            return Heard("answer", self.payload, None, self._correlation)

    monkeypatch.setattr(asking, "HospitalClient", Answered)
    return lambda payload: setattr(Answered, "payload", payload)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"{}", "outcome: Field required"),
        (b'{"outcome": 5}', "outcome: Input should be a valid string"),
        (b'{"outcome": "done", "reason": 5}', "reason: Input should be a valid string"),
        (b'{"outcome": "done", "certificate_request": 5}', "certificate_request: Input should be a valid string"),
        (rb'{"outcome": "done", "certificate_request": "\ud800"}', "Invalid JSON: unexpected end of hex escape"),
        (b"[" * 100_000, "Invalid JSON: recursion limit"),
        (b"5", "Input should be an object"),
        (b'{"outcome": "done", "detail": ' + b"1" * 5000 + b"}", "Invalid JSON: number out of range"),
    ],
)
def test_an_answer_that_is_none_is_one_line(
    command: Command, box_says: Callable[[bytes], None], payload: bytes, why: str
) -> None:
    box_says(payload)
    said = command("command", WHERE[0], "self-test", *WHERE[1:])
    assert said.returncode == 2
    assert said.stderr.startswith("rehabbox: the box box-1 gave an answer that is no")
    assert why in said.stderr


@pytest.mark.parametrize(
    "recorded", [5, {"takes": 5}, {"takes": [5]}, {"takes": [{}]}, {"takes": [{"recording": "no base64"}]}]
)
def test_recordings_that_cannot_be_read_are_one_line(
    command: Command, box_says: Callable[[bytes], None], tmp_path: Path, recorded: Any
) -> None:
    box_says(json.dumps({"outcome": "done", "recorded": recorded}).encode())
    said = command("reference", "record", *WHERE, "--exercise", "squat", "--out", tmp_path)
    assert said.returncode == 2
    assert "whose recordings cannot be read; record again" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_was_recorded_is_written_and_what_was_not_is_said(
    command: Command, box_says: Callable[[bytes], None], tmp_path: Path
) -> None:
    box_says(b'{"outcome": "done", "recorded": {"takes": [{"recording": "dGFrZQ=="}]}}')
    assert command("reference", "record", *WHERE, "--exercise", "squat", "--out", tmp_path).returncode == 0
    assert (tmp_path / "squat-1.csv.gz").read_bytes() == b"take"
    box_says(b'{"outcome": "refused"}')
    said = command("reference", "record", *WHERE, "--exercise", "squat", "--out", tmp_path)
    assert (said.returncode, said.stdout) == (1, "refused\n")


@pytest.mark.parametrize("wait", ["inf", "nan", "1e10", "0"])
def test_a_wait_that_is_none_is_refused_before_anything_is_asked(command: Command, wait: str) -> None:
    said = command("command", WHERE[0], "self-test", *WHERE[1:], "--wait", wait)
    assert said.returncode == 2
    assert "Invalid value for '--wait'" in said.stderr


def test_a_signing_key_whose_public_half_cannot_be_written_is_not_there_either(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "signing.key.pub").mkdir()
    assert command("reference", "key", "--out", tmp_path / "signing.key").returncode == 2
    assert not (tmp_path / "signing.key").exists()
    (tmp_path / "signing.key.pub").rmdir()
    assert command("reference", "key", "--out", tmp_path / "signing.key").returncode == 0
