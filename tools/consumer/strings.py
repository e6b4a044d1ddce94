"""U+FEFF in a message's properties ends no connection.

MQTT allows it and mosquitto passes it on; paho takes it for a malformed packet. The message, never acknowledged, would
come again at each connection, and with it nothing behind it: one box could keep all results from being stored.
"""

from __future__ import annotations

from paho.mqtt import properties
from paho.mqtt.exception import MalformedPacket


def tolerate_strings() -> None:
    """From now on, for every client of this process; what is no UTF-8 is read with U+FFFD in its place."""

    def read(buffer: bytes, most: int) -> tuple[str, int]:
        end = 2 + int.from_bytes(buffer[:2], "big")
        if most < 2 or end > most:
            raise MalformedPacket("a string ends behind its packet")
        return buffer[2:end].decode("utf-8", "replace"), end

    properties.readUTF = read
