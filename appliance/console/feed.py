"""From the broker to every open page: what changed, gathered for a moment, as one event for all of them."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from time import monotonic
from typing import Any

from appliance.board.board import Board, Box, BoxKey, Heard
from appliance.board.line import Payload
from appliance.console.views import View, box_details, box_row
from appliance.hospital.client import HospitalClient

GATHER_S = 0.25
"""Thousands of boxes that tell their health are four events a second, not hundreds."""
MOST_WAITING = 50
"""Events that a page may be behind; one that is further behind is told to load anew."""
RESULTS_SHOWN = 500
RETRY_MS = 1000
"""After which a page whose events ended connects again."""

_log = logging.getLogger(__name__)


class Feed:
    """Listens in a thread of its own; pages are served from the event loop that `listen` was called in."""

    def __init__(self, client: HospitalClient) -> None:
        self._client = client
        self._board = Board()
        self._lock = threading.Lock()
        self._pages: set[asyncio.Queue[str | None]] = set()
        self._stopping = threading.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._run, args=(loop,), name="console-feed", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self._spread(None)
            thread.join(5.0)

    async def events(self, goes_on: Callable[[], bool]) -> AsyncIterator[dict[str, Any]]:
        """First everything, then what changes.

        Ends where it does not go on, when the page is too far behind, or when the console stops.
        """
        queue: asyncio.Queue[str | None] = asyncio.Queue(MOST_WAITING)
        self._pages.add(queue)
        try:
            yield {"event": "everything", "data": self._everything(), "retry": RETRY_MS}
            while (data := await queue.get()) is not None and goes_on():
                yield {"event": "changes", "data": data}
        finally:
            self._pages.discard(queue)

    def details(self, key: BoxKey) -> View | None:
        with self._lock:
            box = self._board.boxes.get(key)
            return box_details(box) if box is not None else None

    def results_of(self, site: str, subject: str) -> list[Payload]:
        """Those heard since the console was started."""
        with self._lock:
            lines = self._board.results.values()
            return [line for line in lines if (line["site"], line["subject"]) == (site, subject)]

    def _everything(self) -> str:
        with self._lock:
            newest = islice(reversed(self._board.results.values()), RESULTS_SHOWN)
            return self._event([box_row(box) for box in self._board.boxes.values()], list(newest))

    def _event(self, boxes: list[View], results: list[Payload]) -> str:
        told: dict[str, Any] = {
            "connected": self._client.connected,
            "unreadable": self._board.unreadable,
            "boxes": boxes,
            "results": results,
        }
        return json.dumps(told, ensure_ascii=False, allow_nan=False)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        connected = False
        while not self._stopping.is_set():
            try:
                boxes, results = self._gathered()
                if boxes or results or connected != self._client.connected:
                    connected = self._client.connected
                    event = self._event([box_row(box) for box in boxes.values()], results)
                    loop.call_soon_threadsafe(self._spread, event)
            except Exception:  # noqa: BLE001  one message must not silence all boxes
                if loop.is_closed():  # the console stops
                    return
                _log.exception("a message could not be shown")

    def _gathered(self) -> tuple[dict[BoxKey, Box], list[Payload]]:
        boxes: dict[BoxKey, Box] = {}
        results: list[Payload] = []
        until = monotonic() + GATHER_S
        while (left_s := until - monotonic()) > 0:
            message = self._client.next(left_s)
            heard = self._hear(message.topic, message.payload) if message is not None else None
            if heard is not None:
                boxes[heard.box.site, heard.box.name] = heard.box
                if heard.result is not None:
                    results.insert(0, heard.result)
        return boxes, results

    def _hear(self, topic: str, payload: bytes) -> Heard | None:
        with self._lock:
            return self._board.hear(topic, payload)

    def _spread(self, event: str | None) -> None:
        for queue in list(self._pages):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._pages.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)  # the page connects again, and is told everything
