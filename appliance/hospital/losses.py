"""What the queue lost is said: by alerts, beside the counters in `health`."""

from __future__ import annotations

from typing import Protocol

from appliance.hospital.outbox import Outbox
from appliance.messages.alert import AlertCode


class Voice(Protocol):
    """Who tells the hospital."""

    def raise_alert(self, code: AlertCode, what: str, remedy: str) -> None: ...

    def clear_alert(self, code: AlertCode) -> None: ...


class Losses:
    """`tell` at the start and now and then, in one thread at a time. Raises `OutboxError`."""

    def __init__(self, outbox: Outbox, voice: Voice) -> None:
        self._outbox, self._voice = outbox, voice

    def tell(self) -> None:
        rebuilt = self._outbox.rebuilt
        if rebuilt is not None:
            unreadable = f"{rebuilt.unreadable} could not be read and are lost; " if rebuilt.unreadable else ""
            others = "an unknown number" if rebuilt.telemetry is None else str(rebuilt.telemetry)
            self._voice.raise_alert(
                "outbox_damaged",
                f"The queue of unsent messages was lost: {rebuilt.why}. {rebuilt.results} results were put back from "
                f"their session files and are sent again; {unreadable}{others} of session messages are lost.",
                "Check the box's disk.",
            )
        counters = self._outbox.counters()
        dropped = ", ".join(f"{count} {kind}" for kind, count in counters.dropped.items())
        if dropped and counters.queued:
            self._voice.raise_alert(
                "messages_dropped",
                f"Messages were lost over the box's life: {dropped}. Results are kept.",
                "Bring the box back to its broker, or give its queue more disk: outbox.limit_mb.",
            )
        elif not counters.queued:
            self._voice.clear_alert("messages_dropped")
