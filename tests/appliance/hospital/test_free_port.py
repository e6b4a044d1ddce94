"""A port for a server is none of those that the system gives to connections meanwhile."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from appliance.errors import RehabBoxError
from appliance.hospital import free_port as module
from appliance.hospital.free_port import free_port


@pytest.mark.parametrize("handed_out", ["32768 60999", "10100 65535", "1024 40000", "1024 65535"])
def test_ports_are_free_and_others_than_the_system_hands_out_where_it_leaves_any(
    handed_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "range").write_text(handed_out.replace(" ", "\t") + "\n")
    monkeypatch.setattr(module, "_RANGE", tmp_path / "range")
    first, last = map(int, handed_out.split())
    found = [free_port() for _ in range(20)]
    for port in found:
        assert 10_000 <= port < 65_536
        assert not first <= port <= last or handed_out == "1024 65535"
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))
    assert len(set(found)) > 1


def test_where_none_is_free_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "range").write_text("1 2")
        monkeypatch.setattr(module, "_RANGE", tmp_path / "range")
        monkeypatch.setattr(module, "_OURS", range(port, port + 1))
        with pytest.raises(RehabBoxError, match="was free"):
            free_port()
