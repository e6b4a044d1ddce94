"""A server of one network block device on a socket of this machine: the parts of the protocol that nbdfuse uses.

https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path

from volatile_cache import VolatileCache

_NEWSTYLE, _OPTION, _OPTION_REPLY = b"NBDMAGIC", b"IHAVEOPT", 0x3E889045565A9
_REQUEST, _REPLY = 0x25609513, 0x67446698
_FIXED_NEWSTYLE, _NO_ZEROES = 1, 2
_EXPORT_NAME, _ABORT, _INFO, _GO = 1, 2, 6, 7
_ACK, _REP_INFO, _UNSUPPORTED = 1, 3, (1 << 31) + 1
_HAS_FLAGS, _SEND_FLUSH, _SEND_FUA = 1, 4, 8
_READ, _WRITE, _DISCONNECT, _FLUSH = 0, 1, 2, 3
_FUA = 1


class NbdServer:
    """Serves the disk until `close`; each connection on a thread of its own."""

    def __init__(self, path: Path, disk: VolatileCache) -> None:
        self._disk = disk
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, suppress(EOFError, OSError):
            if self._greet(line):
                while self._answer(line):
                    pass

    @property
    def _size_and_flags(self) -> bytes:
        return struct.pack(">QH", len(self._disk), _HAS_FLAGS | _SEND_FLUSH | _SEND_FUA)

    def _greet(self, line: socket.socket) -> bool:
        """Whether the client goes on to use the disk."""
        line.sendall(_NEWSTYLE + _OPTION + struct.pack(">H", _FIXED_NEWSTYLE | _NO_ZEROES))
        (flags,) = struct.unpack(">I", _exactly(line, 4))
        while True:
            _, option, length = struct.unpack(">QII", _exactly(line, 16))
            _exactly(line, length)

            def reply(kind: int, data: bytes = b"", option: int = option) -> None:
                line.sendall(struct.pack(">QIII", _OPTION_REPLY, option, kind, len(data)) + data)

            if option == _EXPORT_NAME:
                line.sendall(self._size_and_flags + (b"" if flags & _NO_ZEROES else bytes(124)))
                return True
            if option == _ABORT:
                reply(_ACK)
                return False
            if option not in (_INFO, _GO):
                reply(_UNSUPPORTED)
                continue
            reply(_REP_INFO, struct.pack(">H", 0) + self._size_and_flags)
            reply(_ACK)
            if option == _GO:
                return True

    def _answer(self, line: socket.socket) -> bool:
        """One request; whether there will be another."""
        _, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", _exactly(line, 28))
        data, error = b"", 0
        try:
            if kind == _READ:
                data = self._disk.read(offset, length)
            elif kind == _WRITE:
                self._disk.write(offset, _exactly(line, length), through=bool(flags & _FUA))
            elif kind == _FLUSH:
                self._disk.flush()
            elif kind == _DISCONNECT:
                return False
            else:
                error = errno.EINVAL
        except EOFError:
            raise
        except OSError:
            error = errno.EIO
        line.sendall(struct.pack(">IIQ", _REPLY, error, handle) + (b"" if error else data))
        return True


def _exactly(line: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = line.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
