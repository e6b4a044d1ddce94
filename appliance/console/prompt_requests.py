"""Connections that ask for nothing are closed, so that they do not take the place of those that do."""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 10.0
"""For a request to arrive in full, from the connection's beginning or from the answer to the one before."""


class PromptRequests(H11Protocol):
    """uvicorn waits without end for a first request, and for the rest of one of which a byte came."""

    _deadline: TimerHandle

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(REQUEST_S, self._close_unless_asked)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_S, self._close_unless_asked)
        super().on_response_complete()

    def _close_unless_asked(self) -> None:
        answering = self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete
        if not answering:
            self.transport.close()
