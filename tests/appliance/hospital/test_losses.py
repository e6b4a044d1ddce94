"""What the queue lost is said, and is over when nothing waits any more."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.hospital.losses import Losses
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing


class Alerts:
    """Stands in for the reporter: the alerts that are raised."""

    def __init__(self) -> None:
        self.raised: dict[str, str] = {}

    def raise_alert(self, code: str, what: str, remedy: str) -> None:
        self.raised[code] = what

    def clear_alert(self, code: str) -> None:
        self.raised.pop(code, None)


def opened(state: Path, limit_bytes: int = 1 << 20) -> Outbox:
    return Outbox(state, lambda payload: [Outgoing("r", payload)], limit_bytes)


def test_a_rebuilt_queue_is_an_alert_that_counts_what_came_back_and_what_did_not(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    for place in ("00_squat", "01_squat"):
        outbox.put_result("session", place, lambda sequence: json.dumps({"sequence": sequence}).encode())
    outbox.put("rehabbox/1/site/box/session/1", b"{}")
    outbox.close()
    (tmp_path / "sessions" / "session" / "01_squat.result-2.json").write_text("{")
    outbox.path.write_bytes(b"no database" * 100)
    alerts = Alerts()
    Losses(opened(tmp_path), alerts).tell()
    assert "1 results were put back" in alerts.raised["outbox_damaged"]
    assert "1 could not be read and are lost; an unknown number of session messages" in alerts.raised["outbox_damaged"]
    assert "1 result" in alerts.raised["messages_dropped"]


def test_dropped_messages_are_an_alert_until_nothing_waits_any_more(tmp_path: Path) -> None:
    outbox, alerts = opened(tmp_path), Alerts()
    losses = Losses(outbox, alerts)
    losses.tell()
    assert alerts.raised == {}
    for number in range(12):
        outbox.put(f"rehabbox/1/site/box/session/{number}", bytes(100_000))
    losses.tell()
    assert f"{outbox.counters().dropped['session']} session" in alerts.raised["messages_dropped"]
    outbox.delivered(*(queued.id for queued in outbox.pending()))
    losses.tell()
    assert alerts.raised == {}


def test_a_message_that_fits_nowhere_drops_no_other(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.put("rehabbox/1/site/box/health", b"{}")
    outbox.put("rehabbox/1/site/box/session/1", bytes(1 << 20))
    assert [queued.payload for queued in outbox.pending()] == [b"{}"]
    assert outbox.counters().dropped == {"session": 1}
