"""The fields by which a box's log is filtered."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import pytest
from systemd.journal import send

from appliance import journal
from appliance.journal import DiscreetFormatter, JournalHandler, about


@pytest.fixture
def entries() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def log(entries: list[dict[str, Any]]) -> logging.Logger:
    def keep(message: str, **fields: Any) -> None:
        send(message, **fields)  # which checks them, also where nothing listens
        entries.append({"MESSAGE": message, **fields})

    logger = logging.Logger("appliance.test")
    logger.addHandler(JournalHandler(keep))
    return logger


def test_a_line_says_how_bad_it_is_and_where_it_comes_from(log: logging.Logger, entries: list[dict[str, Any]]) -> None:
    log.warning("the disk is %d %% full", 99)
    log.log(logging.INFO + 5, "between two levels")
    assert (
        entries[0].items()
        >= {
            "MESSAGE": "the disk is 99 % full",
            "PRIORITY": "4",
            "LOGGER": "appliance.test",
            "CODE_FUNC": "test_a_line_says_how_bad_it_is_and_where_it_comes_from",
            "SYSLOG_IDENTIFIER": "rehabbox",
        }.items()
    )
    assert entries[1]["PRIORITY"] == "6"


def test_a_line_says_which_session_exercise_and_device_it_is_about(
    log: logging.Logger, entries: list[dict[str, Any]]
) -> None:
    with about("session", "s-1"):
        with about("exercise", "squat"):
            thread = threading.Thread(target=log.error, args=("lost",), name="capture-camera")
            thread.start()
            thread.join()
        log.info("one exercise less")
    log.info("over")
    fields = [{name: value for name, value in entry.items() if name.startswith("REHABBOX_")} for entry in entries]
    assert fields == [
        {"REHABBOX_SESSION": "s-1", "REHABBOX_EXERCISE": "squat", "REHABBOX_DEVICE": "camera"},
        {"REHABBOX_SESSION": "s-1"},
        {},
    ]


def test_a_patients_identifier_that_comes_into_a_line_by_a_fault_is_blotted_out(
    entries: list[dict[str, Any]], log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_concealed", frozenset)
    log.handlers[0].setFormatter(DiscreetFormatter("%(name)s: %(message)s"))
    known: set[str] = set()
    journal.conceal(lambda: frozenset(known))
    known |= {"Müller-4711", "p-1"}
    try:
        raise ValueError(f"no {json.dumps({'subject': 'Müller-4711'})}")
    except ValueError:
        log.exception("the session of %s failed, p-12 and up-1 did not", "p-1")
    text = entries[0]["MESSAGE"]
    assert text.startswith("appliance.test: the session of [a patient] failed, p-12 and up-1 did not\nTraceback")
    assert text.endswith('ValueError: no {"subject": "[a patient]"}')
    known.clear()
    log.info("p-1 is another's word now")
    assert entries[1]["MESSAGE"] == "appliance.test: p-1 is another's word now"
