"""The hospital's example consumer: what the broker has of results comes into the database, each once, whatever dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import psycopg
import pytest
from paho.mqtt.client import Client, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.hospital.settings import BrokerSettings, tls_context
from appliance.hospital.throwaway import ThrowawayBroker

TOOL = Path(__file__).parents[2] / "tools" / "consumer"
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))


def result(box: str, number: int, **changes: Any) -> bytes:
    document = {
        "id": str(UUID(int=number, version=4)), "sequence": number, "box": box, "session": str(UUID(int=1)),
        "prescription": str(UUID(int=2)), "subject": "pat-0042", "exercise": "squat", "side": "both",
        "started": "2026-11-01T09:00:00Z", "ended": "2026-11-01T09:00:30Z", "status": "scored", "reason": None,
        "score": {"pose_dissimilarity": 0.06, "dynamics_dissimilarity": -0.03}, "synthetic": True,
    }  # fmt: skip
    return json.dumps(document | changes).encode()


class Boxes:
    """Publishes as a box does, over one connection."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._topic = f"rehabbox/1/{settings.site}/{settings.box}/result/squat"
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=settings.box, protocol=MQTTv5)
        self._client.tls_set_context(tls_context(settings))
        self._client.connect(settings.host, settings.port)
        self._client.loop_start()

    def send(self, *payloads: bytes) -> list[MQTTMessageInfo]:
        return [self._client.publish(self._topic, payload, qos=1) for payload in payloads]

    def publish(self, *payloads: bytes) -> None:
        for sent in self.send(*payloads):
            sent.wait_for_publish(60)

    def publish_as(self, content_type: str, payload: bytes) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = content_type
        self._client.publish(self._topic, payload, qos=1, properties=properties).wait_for_publish(60)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def box(broker: ThrowawayBroker) -> Iterator[Boxes]:
    boxes = Boxes(broker.settings_for("box-1"))
    yield boxes
    boxes.close()


@pytest.fixture
def consumer(broker: ThrowawayBroker, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts one under a name, subscribed when it returns; whatever runs at the end is killed."""
    settings = broker.settings_for("hospital")
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, store: str, *options: str) -> subprocess.Popen[bytes]:
        log = tmp_path / f"{name}-{len(started)}.log"
        where = ["--broker", f"localhost:{settings.port}", "--store", store, "--name", name]
        who = ["--ca", settings.ca, "--certificate", settings.certificate, "--key", settings.key]
        started.append(subprocess.Popen([sys.executable, TOOL, *where, *who, *options], stderr=log.open("wb")))
        until(lambda: b"results are received" in log.read_bytes() or started[-1].poll() is not None)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The options to reach a PostgreSQL server of these tests' own, without a network port."""
    if not _POSTGRES or os.geteuid() != 0:
        pytest.skip("needs the server programmes of PostgreSQL (apt: postgresql), and root to start one as `postgres`")
    folder = Path(tempfile.mkdtemp(prefix="rehabbox-pg-"))
    shutil.chown(folder, "postgres")
    as_postgres: dict[str, Any] = {"user": "postgres", "cwd": folder, "stdout": subprocess.DEVNULL}
    programs = _POSTGRES[-1]
    subprocess.run([programs / "initdb", "-D", folder / "db", "-A", "trust", "--no-sync"], check=True, **as_postgres)
    quiet = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    server = [programs / "pg_ctl", "-D", folder / "db", "-l", folder / "log", "-o", quiet, "-w"]
    try:
        subprocess.run([*server, "start"], check=True, **as_postgres)
        yield f"?host={folder}&user=postgres"
    finally:
        subprocess.run([*server, "stop", "-m", "immediate"], **as_postgres)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database: a SQLite file, or one of a real PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "results.db")
    options = request.getfixturevalue("postgres")
    with psycopg.connect(f"postgresql:///postgres{options}", autocommit=True) as server:
        (taken,) = server.execute("SELECT count(*) FROM pg_database").fetchone() or (0,)
        server.execute(f"CREATE DATABASE test_{taken}".encode())
    return f"postgresql:///test_{taken}{options}"


def report(store: str) -> dict[str, Any]:
    run = subprocess.run([sys.executable, TOOL, "--store", store, "--report"], capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr
    document = json.loads(run.stdout)
    assert isinstance(document, dict)
    return document


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = monotonic() + timeout_s
    while not condition():
        assert monotonic() < deadline, "it did not come to that"
        sleep(0.05)


def test_three_consumers_divide_the_results_and_have_each_once_although_one_is_killed(
    broker: ThrowawayBroker, box: Boxes, consumer: Any, store: str, tmp_path: Path
) -> None:
    victim = consumer("one", store)
    others = [consumer("two", store), consumer("three", store)]
    box.publish(*(result("box-1", number) for number in range(1, 51)))
    until(lambda: b"stored" in (tmp_path / "one-0.log").read_bytes())
    box.send(*(result("box-1", number) for number in range(41, 201)))  # ten of them for the second time
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    box.publish(*(result("box-1", number) for number in range(201, 301)))

    consumer("one", store)  # as the service manager does
    until(lambda: report(store)["results"] == 300)
    assert report(store) == {"results": 300, "counting": 300, "boxes": 1, "holes": [], "set_aside": []}
    for process in others:
        process.terminate()
        assert process.wait(30) == 0
    for name in ("one-0", "two-1", "three-2", "one-3"):
        assert "stored" in (tmp_path / f"{name}.log").read_text(), f"{name} had no share of the load"


def test_what_cannot_be_stored_is_set_aside_with_its_reason_and_holds_nothing_up(
    box: Boxes, consumer: Any, store: str
) -> None:
    consumer("one", store)
    strange = result("box-1", 8, subject="unknown yet", some_later_key={"a": [1, 2]})
    nul = result("box-1", 9, subject="a text with \x00 in it")  # which SQLite takes and PostgreSQL does not
    box.publish(
        result("box-1", 1), b"\xff\x00", b"[1]", b"{}", b"[" * 100_000, result("box-2", 2), nul,
        result("box-1", 3, started="today"), result("box-1", 4, sequence=1 << 63), result("box-1", 5, sequence=True),
        result("box-1", 6, score=None), result("box-1", 7, id="x"), result("box-1", 7, subject="\ud800"),
        strange, b"{}", result("box-1", 7, score={"pose_dissimilarity": 10**400, "dynamics_dissimilarity": 1}),
    )  # fmt: skip
    refused = 0 if store.endswith(".db") else 1
    until(lambda: report(store)["results"] == 3 - refused)
    aside = report(store)["set_aside"]
    assert len(aside) == 12 + refused
    said = " / ".join(row["reason"] for row in aside)
    reasons = ("came from box-1", "no JSON", "it has no box", "today", "sequence True", "badly formed")
    for reason in (*reasons, "surrogates", "OverflowError"):
        assert reason in said
    hole = report(store)["holes"][0]
    assert (hole["box"], hole["first"], hole["last"]) == ("box-1", 2, 7)


def test_a_property_that_paho_cannot_read_holds_nothing_up(box: Boxes, consumer: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "results.db")
    consumer("one", store)
    box.publish_as("\ufeffapplication/json", result("box-1", 1))
    box.publish(result("box-1", 2))
    until(lambda: report(store)["results"] == 2)


def test_a_result_that_a_therapist_corrected_counts_once_and_one_that_was_withdrawn_does_not(
    box: Boxes, consumer: Any, store: str
) -> None:
    consumer("one", store)
    first = json.loads(result("box-1", 1))["id"]
    box.publish(
        result("box-1", 3, status="withdrawn", correction={"replaces": first}),  # the later one may come first
        result("box-1", 1), result("box-1", 2, correction={"replaces": first}), result("box-1", 4),
    )  # fmt: skip
    until(lambda: report(store)["results"] == 4)
    assert report(store)["counting"] == 1
    box.publish(result("box-1", 5, correction={"replaces": first}))
    until(lambda: report(store)["results"] == 5)
    assert report(store)["counting"] == 2
    assert report(store)["set_aside"] == []


def test_a_database_that_was_away_costs_no_result(box: Boxes, consumer: Any, postgres: str, tmp_path: Path) -> None:
    with psycopg.connect(f"postgresql:///postgres{postgres}", autocommit=True) as server:
        server.execute("CREATE DATABASE away")
        store = f"postgresql:///away{postgres}"
        consumer("one", store)
        box.publish(*(result("box-1", number) for number in range(1, 11)))
        until(lambda: report(store)["results"] == 10)
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'away'")
        box.publish(*(result("box-1", number) for number in range(11, 21)))
        until(lambda: report(store)["results"] == 20)
    assert "trying again" in (tmp_path / "one-0.log").read_text()


def test_a_consumer_that_leaves_takes_what_it_was_given_with_it(box: Boxes, consumer: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "results.db")
    staying, leaving = consumer("staying", store), consumer("leaving", store)
    leaving.send_signal(signal.SIGSTOP)
    box.publish(*(result("box-1", number) for number in range(1, 21)))
    leaving.kill()
    leaving.wait()
    assert report(store)["results"] < 20  # the rest lies in the share of the one that is gone
    assert consumer("leaving", store, "--leave").wait(60) == 0
    until(lambda: report(store)["results"] == 20)
    box.publish(*(result("box-1", number) for number in range(21, 41)))
    until(lambda: report(store)["results"] == 40)
    assert staying.poll() is None


def test_what_it_cannot_start_with_is_named(tmp_path: Path) -> None:
    def refused(*options: str) -> str:
        run = subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True)
        assert run.returncode == 2
        assert "Traceback" not in run.stderr
        return run.stderr

    assert "--broker" in refused("--store", "results.db")
    files = ("--ca", "none.pem", "--certificate", "none.pem", "--key", "none.key")
    assert "none.pem" in refused("--store", "results.db", "--broker", "localhost:1", *files)
    assert str(tmp_path) in refused("--store", str(tmp_path / "no" / "results.db"), "--report")
