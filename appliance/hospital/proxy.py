"""The way out: straight, or through an HTTP proxy by `CONNECT` (RFC 9110, 9.3.6)."""

from __future__ import annotations

import socket

import socks
from paho.mqtt.client import Client

from appliance.hospital.settings import BrokerSettings


def go_through_proxy(client: Client, proxy: tuple[str, int] | None) -> None:
    """Makes an MQTT client take that way out: host and port, or None for the straight one."""
    if proxy is not None:
        host, port = proxy
        client.proxy_set(proxy_type=socks.HTTP, proxy_addr=host, proxy_port=port)


def connect(settings: BrokerSettings, timeout_s: float) -> socket.socket:
    """A line to the broker. Raises `OSError`."""
    where = (settings.host, settings.port)
    if settings.proxy_address is None:
        return socket.create_connection(where, timeout_s)
    host, port = settings.proxy_address
    line: socket.socket = socks.create_connection(
        where, timeout_s, proxy_type=socks.HTTP, proxy_addr=host, proxy_port=port
    )
    return line


def reason_of(error: Exception) -> str:
    """Why there is no line, in one line, and whose fault it is."""
    if isinstance(error, socks.ProxyError):
        return f"the proxy does not let the box out: {str(error).splitlines()[0].removeprefix('Socket error: ')}"
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
