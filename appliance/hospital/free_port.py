"""A port of this machine for a server that cannot choose one itself."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from appliance.errors import RehabBoxError

_HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUALLY_FROM = 32_768
_LOWEST = 10_000
_TRIES = 1000


def free_port() -> int:
    """
    A port that nobody listens on at 127.0.0.1, below those that the system hands out by itself.

    One that the system chose (port 0) and that is given back before the server takes it may meanwhile become the near
    end of somebody's connection; so may the port of a server that is stopped and started again.

    Raises:
        RehabBoxError: none was found.
    """
    try:
        end = int(_HANDED_OUT.read_text().split()[0])
    except OSError:  # not Linux
        end = _USUALLY_FROM
    choose = random.SystemRandom()
    for _ in range(_TRIES):
        port = choose.randrange(_LOWEST, max(end, _LOWEST + 1))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RehabBoxError(f"none of {_TRIES} ports tried on 127.0.0.1 was free")
