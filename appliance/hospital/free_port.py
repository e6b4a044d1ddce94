"""A port of this machine for a server that cannot choose one itself."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from appliance.errors import RehabBoxError

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUALLY = range(32_768, 61_000)
_OURS = range(10_000, 65_536)
_TRIES = 1000


def free_port() -> int:
    """
    A port that nobody listens on at 127.0.0.1; none of those that the system hands out by itself, if it leaves any.

    One that the system chose (port 0) and that is given back before the server takes it may meanwhile become the near
    end of somebody's connection; so may the port of a server that is stopped and started again.

    Raises:
        RehabBoxError: none was found.
    """
    try:
        first, last = map(int, _RANGE.read_text().split())
        handed_out = range(first, last + 1)
    except OSError:  # not Linux
        handed_out = _USUALLY
    left = [port for port in _OURS if port not in handed_out] or _OURS
    choose = random.SystemRandom()
    for _ in range(_TRIES):
        port = choose.choice(left)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RehabBoxError(f"none of {_TRIES} ports tried on 127.0.0.1 was free")
