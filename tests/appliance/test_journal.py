"""The fields by which a box's log is filtered."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from systemd.journal import send

from appliance.journal import JournalHandler, about


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
