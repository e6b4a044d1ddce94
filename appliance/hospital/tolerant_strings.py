"""Strings of MQTT properties as the standard has them.

U+FEFF is allowed in them (MQTT 5.0, 1.5.4), and mosquitto passes it on; paho takes it for a malformed packet and leaves
the connection. As the broker keeps what was not acknowledged, and what is retained, it would be met again at once: one
such message, from anybody who may publish there, would end all that comes behind it. What is no UTF-8, which another
broker may pass on, is read with U+FFFD in its place: who reads a property looks at its meaning anyway.
"""

from __future__ import annotations

from paho.mqtt import properties
from paho.mqtt.exception import MalformedPacket

_LENGTH = 2


def tolerate_strings() -> None:
    """From now on, for every client of this process."""
    properties.readUTF = _read


def _read(buffer: bytes, most: int) -> tuple[str, int]:
    """The string that begins there, and how many bytes it takes. most: how many there are."""
    end = _LENGTH + int.from_bytes(buffer[:_LENGTH], "big")
    if most < _LENGTH or end > most:
        raise MalformedPacket("a string ends behind its packet")
    return buffer[_LENGTH:end].decode("utf-8", "replace"), end
