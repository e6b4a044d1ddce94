"""The box's own connection without its threads: the loop reads and writes for paho, and TLS goes step by step.

Everything but opening and closing is `appliance.hospital.connection.Connection`'s own: packets, properties, last will,
answers and their reasons.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.hospital.connection import KEPT_FOR_US_S, LARGEST_MESSAGE, Connection
from appliance.hospital.settings import BrokerSettings
from loop import Loop


class Line(Connection):
    """`begin`; then `on_change` is called after whatever happened, until `lost` says why it is over; then `end`."""

    def __init__(self, settings: BrokerSettings, tls: ssl.SSLContext, will: tuple[str, bytes], loop: Loop) -> None:
        super().__init__(settings, tls, will, lambda _: None)
        self.on_change: Callable[[], None] = lambda: None
        self._loop, self._tls = loop, tls
        self._socket = socket.socket()
        self._client.on_socket_close = lambda _client, _data, line: loop.forget(line)
        self._client.on_socket_register_write = partial(self._watch, True)
        self._client.on_socket_unregister_write = partial(self._watch, False)

    @property
    def opened(self) -> bool:
        """The broker has let us in."""
        return self._opened

    def begin(self) -> None:
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex((self._settings.host, self._settings.port))
        if code not in (0, errno.EINPROGRESS):
            self._fail(os.strerror(code))
            return
        self._loop.watch(self._socket, self._reached, reading=False, writing=True)

    def end(self, why: str) -> None:
        """Cuts the line, as a pulled plug does; whoever waits for answers waits in vain."""
        if self.lost is None:
            self.lost = why
        self._loop.forget(self._socket)
        with suppress(OSError):
            self._socket.close()

    def look_after(self) -> None:
        """Keeps the connection alive, or notices that it is not; to be called every few seconds."""
        self._client.loop_misc()
        self._settle()

    def _reached(self) -> None:
        self._loop.forget(self._socket)
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(os.strerror(code))
            return
        try:
            self._socket = self._tls.wrap_socket(
                self._socket, server_hostname=self._settings.host, do_handshake_on_connect=False
            )
        except OSError as error:
            self._fail(str(error))
            return
        self._shake_hands()

    def _shake_hands(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.watch(self._socket, self._shake_hands)
        except ssl.SSLWantWriteError:
            self._loop.watch(self._socket, self._shake_hands, writing=True)
        except OSError as error:
            self._fail(f"TLS: {error.strerror or error}")
        else:
            self._loop.watch(self._socket, self._read)
            self._knock()

    def _knock(self) -> None:
        """paho connects by a socket of its own making; here it is handed ours, which is through already."""
        self._client._create_socket = lambda: self._socket
        limits = Properties(PacketTypes.CONNECT)
        limits.MaximumPacketSize = LARGEST_MESSAGE
        limits.SessionExpiryInterval = KEPT_FOR_US_S
        host, port, keepalive = self._settings.host, self._settings.port, self._settings.keepalive_s
        self._client.connect(host, port, keepalive, clean_start=False, properties=limits)
        self._settle()

    def _read(self) -> None:
        self._client.loop_read()
        while self.lost is None and self._pending():
            self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()
        self._settle()

    def _pending(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() >= 0 and self._socket.pending() > 0

    def _watch(self, writing: bool, _client: Client, _data: Any, line: Any) -> None:
        if line.fileno() >= 0:
            self._loop.watch(line, self._read, writing=writing)

    def _settle(self) -> None:
        while self.run_one(0.0):
            pass
        self.on_change()

    def _fail(self, why: str) -> None:
        self.lost = why
        self.on_change()
