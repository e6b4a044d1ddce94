"""Nobody in who does not belong: a fleet's own broker, real certificates, and what each side says of it."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from appliance.cli import rehabbox
from appliance.enrolment.hospital_file import EstServer
from appliance.enrolment.identity import Identity
from appliance.enrolment.online import enrol_online
from appliance.enrolment.renewal import Renewal
from appliance.errors import BrokerError, SettingsError
from appliance.fleet.authority import LocalAuthority
from appliance.fleet.fleet import Fleet
from appliance.hospital.asking import ask
from appliance.hospital.authority import Authority
from appliance.hospital.certificates import key_pem, make_request, new_key, pem_of, subject
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.events import Connected, Disconnected
from appliance.hospital.free_port import free_port
from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.hospital.refusal import knock
from appliance.hospital.settings import BrokerSettings, tls_context
from appliance.messages.command import RotateCertificate
from appliance.messages.model import encode
from appliance.messages.topics import Topics


def wait_until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not true():
        assert monotonic() < deadline, "it did not come about"
        sleep(0.02)


class Clinic:
    """A fleet, the broker it wrote out, running, and links of boxes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder / "fleet", free_port()
        self.pid_file = self.folder / "broker" / "state" / "mosquitto.pid"
        self.systems_port = free_port()
        self.init()
        self.write_broker("localhost")
        self._links: list[tuple[Link, Outbox]] = []
        self._box_folder = folder

    def it(self, *arguments: str) -> None:
        done = CliRunner().invoke(rehabbox, ["fleet", "--folder", str(self.folder), *arguments], standalone_mode=False)
        if done.exception is not None:
            raise done.exception

    def init(self, *more: str) -> None:
        ports = (f"localhost:{self.port}", "--systems-port", str(self.systems_port))
        self.it("init", "--site", "clinic", "--broker", *ports, *more)

    def write_broker(self, name: str) -> None:
        self.it("broker", "--name", name, *(["--user", "root"] if os.geteuid() == 0 else []))

    def start(self) -> None:
        with (self.folder / "mosquitto.log").open("wb") as log:
            self._broker = subprocess.Popen(
                ["/usr/sbin/mosquitto", "-c", self.folder / "broker" / "mosquitto.conf"], stderr=log
            )
        wait_until(lambda: " running" in self.log)

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text("utf-8", "replace")

    def enrolled(self, box: str) -> BrokerSettings:
        """As `rehabbox enrol` leaves it."""
        self.it("add", box)
        identity = Identity(self._box_folder / box)
        with Fleet(self.folder) as fleet:
            identity.install(fleet.sign(identity.request(box), box, None, again=True))
        return self.settings(box, identity.folder / "current")

    def settings(self, box: str, place: Path) -> BrokerSettings:
        files = {"ca": place / "ca.pem", "certificate": place / "certificate.pem", "key": place / "key.pem"}
        return BrokerSettings(host="localhost", port=self.port, site="clinic", box=box, **files)

    def user(self, name: str, role: str) -> HospitalClient:
        self.it("user", name, "--role", role, "--out", str(self.folder), "--reload", str(self.pid_file))
        files = (self.folder / "ca.pem", self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return HospitalClient(BrokerAddress("localhost", self.systems_port, True, *files), name, ("rehabbox/#",))

    def link(self, settings: BrokerSettings) -> Link:
        folder = self._box_folder / f"outbox-{len(self._links)}"
        folder.mkdir()
        outbox = Outbox(folder, lambda payload: [])
        link = Link(settings, outbox, lambda state, number: b"{}")
        self._links.append((link, outbox))
        link.start()
        return link

    def close(self) -> None:
        for link, outbox in self._links:
            link.stop(0.5)
            outbox.close()
        self._broker.kill()
        self._broker.wait()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    made.start()
    yield made
    made.close()


def event_of(link: Link, kind: type) -> Any:
    while not isinstance(event := link.events.get(timeout=10), kind):
        pass
    return event


def refusal_of(link: Link, caplog: pytest.LogCaptureFixture) -> str:
    """What the box says, as an event and in its log."""
    reason: str = event_of(link, Disconnected).reason
    assert any(reason in record.message for record in caplog.records if record.levelno >= logging.WARNING)
    return reason


def signed(clinic: Clinic, folder: Path, box: str, life: timedelta) -> BrokerSettings:
    """A certificate of the right authority, for a time of our choosing."""
    folder.mkdir()
    key = new_key()
    (folder / "key.pem").write_bytes(key_pem(key))
    (folder / "certificate.pem").write_text(LocalAuthority(clinic.folder, None).issue(box, key.public_key(), life).pem)
    (folder / "ca.pem").write_bytes((clinic.folder / "ca.pem").read_bytes())
    return clinic.settings(box, folder)


def test_an_enrolled_box_is_let_in(clinic: Clinic) -> None:
    assert event_of(clinic.link(clinic.enrolled("box-1")), Connected)
    assert "u'box-1'" in clinic.log


def test_a_box_with_anothers_certificate_does_not_start_and_gets_nowhere_with_it(clinic: Clinic) -> None:
    mine, other = clinic.enrolled("box-1"), clinic.enrolled("box-2")
    stolen = mine.model_copy(update={"certificate": other.certificate, "key": other.key})
    with pytest.raises(SettingsError, match=r"broker\.box: is 'box-1', but .* was issued to box-2"):
        tls_context(stolen)
    with pytest.raises(SettingsError, match=r"broker\.key: .* is not the PEM key"):
        tls_context(mine.model_copy(update={"key": other.key}))
    with clinic.user("ris", "prescriber") as hospital:
        files = (other.ca, other.certificate, other.key)
        thief = HospitalClient(BrokerAddress("localhost", clinic.port, True, *files), "box-1", ("rehabbox/1/clinic/#",))
        with thief:
            for topic in ("status", "result/squat", "alert/x", "prescription", "command/self-test"):
                with pytest.raises(BrokerError, match=r"the broker refuses rehabbox/1/clinic/box-1/.*: Not authorized"):
                    thief.publish(f"rehabbox/1/clinic/box-1/{topic}", b"forged")
            hospital.publish("rehabbox/1/clinic/box-1/prescription", b"secret", retain=True)
            hospital.publish("rehabbox/1/clinic/box-1/command/self-test", b"secret")
            hospital.publish("rehabbox/1/clinic/box-2/command/self-test", b"for box-2")
            heard = thief.next(5)
            assert heard is not None
            assert heard.payload == b"for box-2"
        own = [hospital.next(2), hospital.next(2), hospital.next(2)]
        assert {heard.payload for heard in own if heard is not None} == {b"secret", b"for box-2"}
    assert "as box-1 (p5, c1, k30, u'box-2')" not in clinic.log


def test_no_box_pushes_another_off_the_broker_by_taking_its_client_id(clinic: Clinic) -> None:
    link, other = clinic.link(clinic.enrolled("box-1")), clinic.enrolled("box-2")
    event_of(link, Connected)
    address = BrokerAddress("localhost", clinic.port, True, other.ca, other.certificate, other.key)
    with HospitalClient(address, "box-1"):
        assert "as box-2 (p5, c1, k30, u'box-2')" in clinic.log
    assert link.connected
    assert link.events.empty()


def test_a_reader_writes_nothing_not_even_as_a_box_of_its_own_name(clinic: Clinic) -> None:
    with clinic.user("ward", "reader") as ward:
        for topic in ("box-1/command/self-test", "box-1/result/squat", "ward/result/squat", "ward/status"):
            with pytest.raises(BrokerError, match="Not authorized"):
                ward.publish(f"rehabbox/1/clinic/{topic}", b"forged")
    with clinic.user("ris", "prescriber") as ris:
        ris.publish("rehabbox/1/clinic/box-1/prescription", b"", retain=True)
        with pytest.raises(BrokerError, match="Not authorized"):
            ris.publish("rehabbox/1/clinic/box-1/result/squat", b"forged")


def test_an_expired_certificate_is_refused_and_both_logs_say_so(
    clinic: Clinic, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = clinic.link(signed(clinic, tmp_path / "old", "box-1", timedelta(seconds=-1)))
    assert refusal_of(link, caplog) == "the broker refuses the box's certificate: it has expired"
    assert "certificate verify failed" in clinic.log


def test_a_revoked_box_is_shut_out_at_once_and_then_refused(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    link = clinic.link(clinic.enrolled("box-1"))
    event_of(link, Connected)
    clinic.it("revoke", "box-1", "--reload", str(clinic.pid_file))
    wait_until(lambda: "Reloading config" in clinic.log)
    link.raise_alert("camera_lost", b"{}")
    wait_until(lambda: any("Not authorized (135)" in record.message for record in caplog.records))
    link.connect_again()
    assert refusal_of(link, caplog) == "the broker refuses the box's certificate: it is revoked"
    assert "certificate verify failed" in clinic.log
    assert event_of(clinic.link(clinic.enrolled("box-2")), Connected)  # the others are let in as before


def test_a_revoked_box_is_let_in_with_its_next_certificate(clinic: Clinic) -> None:
    clinic.enrolled("box-1")
    clinic.it("revoke", "box-1", "--reload", str(clinic.pid_file))
    settings = clinic.enrolled("box-1")
    clinic.it("acl", "--reload", str(clinic.pid_file))
    link = clinic.link(settings)
    event_of(link, Connected)
    with clinic.user("ward", "reader") as hospital:
        link.raise_alert("camera_lost", b"{}")
        wait_until(lambda: (heard := hospital.next(1)) is not None and heard.topic.endswith("alert/camera_lost"))


def test_a_certificate_of_another_authority_and_none_at_all_are_refused(
    clinic: Clinic, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = clinic.enrolled("box-1")
    foreign = Authority(tmp_path / "foreign").client("box-1")
    link = clinic.link(good.model_copy(update={"certificate": foreign.certificate, "key": foreign.key}))
    assert refusal_of(link, caplog) == "the broker refuses the box's certificate: another authority signed it"
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(good.ca)
    with pytest.raises(ConnectionError, match="wants a certificate, and the box showed none"):
        knock(good, bare)
    wait_until(lambda: "peer did not return a certificate" in clinic.log)
    bare.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("localhost", clinic.port)) as line, pytest.raises(ssl.SSLError, match="PROTOCOL"):
        bare.wrap_socket(line, server_hostname="localhost")


def test_a_broker_with_another_name_or_authority_is_refused_by_the_box(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clinic = Clinic(tmp_path)
    clinic.write_broker("elsewhere.example")
    clinic.start()
    try:
        settings = clinic.enrolled("box-1")
        assert "Hostname mismatch" in refusal_of(clinic.link(settings), caplog)
        foreign = Authority(tmp_path / "foreign").certificate
        settings = settings.model_copy(update={"ca": foreign})
        assert "the broker's certificate is refused: self-signed certificate in certificate chain" in refusal_of(
            clinic.link(settings), caplog
        )
        wait_until(lambda: "alert bad certificate" in clinic.log and "alert unknown ca" in clinic.log)
        assert "as box-1" not in clinic.log
    finally:
        clinic.close()


def test_what_the_rules_forbid_a_box_is_refused_kept_and_raised_as_an_alert(ward: Any, hospital: Any) -> None:
    rules = ward.broker.folder / "acl"
    rules.write_text("\n".join(line for line in rules.read_text().splitlines() if "/session/" not in line) + "\n")
    os.kill(ward.broker.pid, signal.SIGHUP)
    ward.start()
    hospital.wait(lambda heard: heard.of("status") != [])
    hospital.prescribe([ward.exercise("squat", "both", 1)])
    hospital.wait(lambda heard: heard.of("alert") != [])
    (alert,) = hospital.of("alert")
    assert alert["code"] == "broker_refused"
    assert "/session/" in alert["what"]
    assert "Not authorized (135)" in alert["what"]


def test_a_box_renews_and_comes_back_with_the_new_certificate_through_a_proxy(
    clinic: Clinic, tmp_path: Path, est_server: Any, proxy_to: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (clinic.folder / "ca.pem").read_bytes() + pem_of([est_server.authority])
    (clinic.folder / "broker" / "ca.pem").write_bytes(both)
    conf = clinic.folder / "broker" / "mosquitto.conf"  # the test's EST authority has no revocation list
    conf.write_text("\n".join(line for line in conf.read_text().splitlines() if not line.startswith("crlfile")) + "\n")
    clinic.close()
    clinic.start()
    identity = Identity(tmp_path / "box")
    with Fleet(clinic.folder) as fleet:
        hospital = fleet.hospital("clinic").model_copy(
            update={"ca": both.decode(), "est": EstServer(host="localhost", port=est_server.port)}
        )
    proxy = proxy_to(clinic.port, est_server.port)
    est_server.codes["box-1"] = "4711"
    enrol_online(identity, hospital, "box-1", "4711", proxy.url)
    first = identity.current().certificate.serial_number
    settings = clinic.settings("box-1", identity.folder / "current").model_copy(update={"proxy": proxy.url})
    shut = settings.model_copy(update={"proxy": proxy_to().url})
    assert event_of(clinic.link(shut), Disconnected).reason == "the proxy does not let the box out: 403: Forbidden"
    link = clinic.link(settings)
    assert event_of(link, Connected).number == 1
    renewed = Renewal(identity, link.connect_again, lambda what: None).renew()
    assert event_of(link, Connected).number == 2
    assert renewed.serial_number != first
    assert proxy.asked.count(f"localhost:{clinic.port}") == 2


def test_a_running_box_renews_by_itself_or_calls_and_renews_when_it_is_told_to(tmp_path: Path, est_server: Any) -> None:
    clinic, box = Clinic(tmp_path), None
    clinic.folder = tmp_path / "own"
    (tmp_path / "ca.pem").write_text(est_server.ca)
    clinic.init("--est", f"localhost:{est_server.port}", "--ca", str(tmp_path / "ca.pem"))
    own = ("--certificate", str(tmp_path / "est" / "est.pem"), "--key", str(tmp_path / "est" / "est.key"))
    clinic.it("broker", *own, *(["--user", "root"] if os.geteuid() == 0 else []))
    clinic.it("user", "ris", "--role", "prescriber")
    key = new_key()
    (tmp_path / "ris.key").write_bytes(key_pem(key))
    (tmp_path / "ris.pem").write_bytes(pem_of([est_server.sign(make_request(subject("ris"), key))]))
    files = (tmp_path / "ca.pem", tmp_path / "ris.pem", tmp_path / "ris.key")
    ris, topics = BrokerAddress("localhost", clinic.systems_port, True, *files), Topics("clinic", "box-1")
    clinic.start()
    identity = Identity(tmp_path / "box")
    try:
        est_server.codes["box-1"] = "4711"
        est_server.life = timedelta(minutes=2)  # of a life that began five minutes ago: due at once
        with Fleet(clinic.folder) as fleet:
            first = enrol_online(identity, fleet.hospital("clinic"), "box-1", "4711").certificate
        est_server.life, est_server.refuse = timedelta(days=30), "out of order"
        settings = tmp_path / "settings.toml"
        settings.write_text(
            f'[enrolment]\nfolder = "{identity.folder}"\n[session]\nstate = "{tmp_path / "state"}"\n'
            '[camera]\ndriver = "synthetic"\n[pose]\ndriver = "device"\n'
        )
        with (
            HospitalClient(ris, "ris", (topics.alert("+"),)) as hospital,
            (tmp_path / "box.log").open("wb") as log,
        ):
            box = subprocess.Popen([sys.executable, "-m", "appliance", "run", "--settings", settings], stderr=log)
            raised = hospital.next(90)
            assert raised is not None
            assert raised.topic == topics.alert("certificate_expiring")
            assert "was not renewed: the EST server localhost" in json.loads(raised.payload)["what"]
            assert identity.current().certificate == first
            est_server.refuse = None
            now = datetime.now(UTC)
            command = RotateCertificate(id=uuid4(), box="box-1", issued=now, expires=now + timedelta(minutes=1))
            answer = ask(ris, topics, topics.command("rotate-certificate"), encode(command), 60)
            assert answer is not None
            assert (answer["outcome"], "the new certificate is valid until" in answer["detail"]) == ("done", True)
            cleared = hospital.next(60)
            assert cleared is not None
            assert json.loads(cleared.payload)["state"] == "cleared"
        wait_until(lambda: clinic.log.count("as box-1 (p5") == 2)
        assert identity.current().certificate.serial_number != first.serial_number
    finally:
        if box is not None:
            box.terminate()
            box.wait(20)
        clinic.close()
