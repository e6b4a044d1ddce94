import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import BrokerError
from appliance.hospital import throwaway
from appliance.hospital.settings import tls_context
from appliance.hospital.throwaway import ThrowawayBroker


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def version_spoken(port: int, context: ssl.SSLContext) -> str | None:
    """Raises where the broker ends the conversation; one that has accepted waits for us to speak."""
    with (
        socket.create_connection(("127.0.0.1", port)) as line,
        context.wrap_socket(line, server_hostname="localhost") as secured,
    ):
        secured.settimeout(0.3)
        with suppress(TimeoutError):
            secured.recv(1)
        return secured.version()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_runs_inside_the_block_and_is_gone_after_it_also_after_an_error(tmp_path: Path) -> None:
    broker = ThrowawayBroker(tmp_path / "broker")
    pids = []

    def fail() -> None:
        with broker:
            assert listens(broker.port)
            pids.append(broker.pid)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert is_gone(pids[0])
    assert not listens(broker.port)


def test_two_run_side_by_side(tmp_path: Path) -> None:
    with ThrowawayBroker(tmp_path / "a") as one, ThrowawayBroker(tmp_path / "b") as other:
        assert listens(one.port)
        assert listens(other.port)
        assert one.port != other.port


def test_a_port_that_is_taken_is_left_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free_port = throwaway.free_port
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        taken = occupant.getsockname()[1]
        offers = iter([taken, free_port()])
        monkeypatch.setattr(throwaway, "free_port", lambda: next(offers))
        with ThrowawayBroker(tmp_path / "broker") as broker:
            assert broker.port != taken
            assert listens(broker.port)


def test_without_mosquitto_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throwaway.shutil, "which", lambda *_args, **_options: None)
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        ThrowawayBroker(tmp_path / "broker")


def test_a_configuration_it_does_not_take_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = throwaway.mosquitto_conf
    monkeypatch.setattr(throwaway, "mosquitto_conf", lambda **options: written(**options) + "no_such_option true\n")
    with pytest.raises(BrokerError, match="no_such_option"):
        ThrowawayBroker(tmp_path / "broker").__enter__()


def test_keys_are_readable_by_their_owner_alone(broker: ThrowawayBroker) -> None:
    broker.settings_for("box-1")
    keys = list(broker.folder.glob("*.key"))
    assert {key.stem for key in keys} == {"localhost", "box-1"}
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_it_speaks_tls_13_only_and_only_to_who_has_a_certificate(broker: ThrowawayBroker) -> None:
    old = tls_context(broker.settings_for("box-1"))
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    nameless = ssl.create_default_context(cafile=broker.authority.certificate)
    for refused in (old, nameless):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            version_spoken(broker.port, refused)
    assert version_spoken(broker.port, tls_context(broker.settings_for("box-1"))) == "TLSv1.3"


def test_a_box_reads_only_what_is_for_it_whatever_it_subscribes_to(
    broker: ThrowawayBroker, hospital: Any, side_of: Callable[[str], Any]
) -> None:
    curious = side_of("box-1")
    for kind in ("prescription", "reference/1", "command/stop"):
        hospital.publish(f"rehabbox/1/demo/box-2/{kind}", b"for box-2")
        hospital.publish(f"rehabbox/1/demo/box-1/{kind}", b"for box-1")
        message = curious.next(lambda _: True)
        assert (message.topic, message.payload) == (f"rehabbox/1/demo/box-1/{kind}", b"for box-1")


def test_a_box_writes_only_under_its_own_name(
    broker: ThrowawayBroker, hospital: Any, side_of: Callable[[str], Any]
) -> None:
    forger = side_of("box-1")
    forger.publish("rehabbox/1/demo/box-2/result/squat", b"forged")
    forger.publish("rehabbox/1/demo/box-1/prescription", b"forged")
    forger.publish("rehabbox/1/demo/box-1/result/squat", b"own")
    assert hospital.next(lambda _: True).payload == b"own"
