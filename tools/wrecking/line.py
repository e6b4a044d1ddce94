"""The line between box and broker: a forwarder that can hold back the broker's answers, and break."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 1 << 16


class Line:
    """A context manager. It listens on `address` and forwards to a port of this machine."""

    def __init__(self, address: tuple[str, int], port: int) -> None:
        self._address, self._port = address, port
        self._answers = threading.Event()
        self._answers.set()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cut()

    @property
    def port(self) -> int:
        return self._address[1]

    def hold(self) -> None:
        """What the broker says from now on does not reach the box; what the box says goes on."""
        self._answers.clear()

    def release(self) -> None:
        """Answers held back are lost with their connections."""
        self._close_all()
        self._answers.set()

    def cut(self) -> None:
        """Connections break, and new ones are refused."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._close_all()

    def mend(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(self._address)
            self._address = self._listener.getsockname()
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                box, _ = listener.accept()
                try:
                    broker = socket.create_connection(("127.0.0.1", self._port), timeout=5)
                except OSError:
                    box.close()
                    continue
                broker.settimeout(None)
                with self._lock:
                    self._open += [box, broker]
                threading.Thread(target=self._pump, args=(box, broker, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(broker, box, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if answers:
                    self._answers.wait()
                sink.sendall(data)
        self._close(source, sink)

    def _close_all(self) -> None:
        with self._lock:
            found, self._open = self._open, []
        self._close(*found)

    @staticmethod
    def _close(*lines: socket.socket) -> None:
        for line in lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
