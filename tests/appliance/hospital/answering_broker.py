"""A broker that answers results with the reason codes it is told, for those that mosquitto never gives.

Written from the MQTT 5 standard (OASIS): it takes one box after another and reads as little as it must.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from contextlib import suppress

from appliance.hospital.throwaway import ThrowawayBroker

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 1, 3, 8, 12


class AnsweringBroker:
    """Context manager on the port of a stopped broker, with its certificate. codes: for each result in turn.

    at_once: its Receive Maximum; `most_at_once` then counts what a box had on its way, for answers come late.
    retained: packets, which come before a subscription is answered.
    """

    def __init__(
        self, broker: ThrowawayBroker, codes: list[int], at_once: int | None = None, retained: bytes = b""
    ) -> None:
        files = broker.authority.server(("localhost",), ("127.0.0.1",))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.certificate, files.key)
        self._listener = socket.create_server(("127.0.0.1", broker.port))
        self._codes, self._at_once, self._retained = codes, at_once, retained
        self._unanswered: list[bytes] = []
        self.most_at_once = 0
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> AnsweringBroker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                with suppress(OSError), self._context.wrap_socket(line, server_side=True) as tls:
                    while (packet := self._packet(tls)) is not None:
                        self._say(tls, packet[0] >> 4, self._answer(*packet))

    def _say(self, tls: ssl.SSLSocket, kind: int, answer: bytes) -> None:
        if self._at_once is None or kind != PUBLISH:
            tls.sendall(answer)
            return
        self._unanswered.append(answer)
        self.most_at_once = max(self.most_at_once, len(self._unanswered))
        if not tls.pending() and not select.select([tls], [], [], 0.1)[0]:
            tls.sendall(b"".join(self._unanswered))
            self._unanswered.clear()

    @staticmethod
    def _packet(tls: ssl.SSLSocket) -> tuple[int, bytes] | None:
        file = tls.makefile("rb", buffering=0)
        head = file.read(1)
        if not head:
            return None
        length = shift = 0
        while True:
            (byte,) = file.read(1) or b"\0"
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        body = b""
        while len(body) < length:
            body += file.read(length - len(body)) or bytes(length)
        return head[0], body

    def _answer(self, head: int, body: bytes) -> bytes:
        kind = head >> 4
        if kind == CONNECT:
            properties = b"" if self._at_once is None else struct.pack(">BH", 0x21, self._at_once)
            return bytes([0x20, 3 + len(properties), 0, 0, len(properties)]) + properties
        if kind == PINGREQ:
            return b"\xd0\x00"
        if kind == SUBSCRIBE:
            return self._retained + b"\x90\x04" + body[:2] + b"\x00\x01"
        if kind == PUBLISH and head & 0x06:
            (size,) = struct.unpack_from(">H", body)
            code = self._codes.pop(0) if b"/result/" in body[: size + 2] and self._codes else 0
            return b"\x40\x03" + body[size + 2 : size + 4] + bytes([code])
        return b""
