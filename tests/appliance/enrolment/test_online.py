"""Enrolment and renewal at an EST server, with a new key each time, straight and through a proxy."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from appliance.cli import rehabbox
from appliance.enrolment import renewal
from appliance.enrolment.est import LaterError
from appliance.enrolment.hospital_file import Hospital, write_told
from appliance.enrolment.identity import Identity
from appliance.enrolment.online import enrol_online, reach_online, renew_online
from appliance.enrolment.renewal import Renewal, due_at
from appliance.errors import EnrolmentError, SettingsError
from appliance.hospital.certificates import (
    authority_certificate,
    fingerprint,
    make_request,
    new_key,
    pem_of,
    read_key,
    same_key,
    subject,
)
from appliance.hospital.settings import BrokerSettings, tls_context

HospitalOf = Callable[..., Hospital]


def test_a_box_is_enrolled_for_a_one_time_code_and_renewed_by_its_certificate_with_a_new_key(
    identity: Identity, est_server: Any, hospital_of: HospitalOf
) -> None:
    est_server.codes["box-1"] = "4711"
    first = enrol_online(identity, hospital_of(est_server), "box-1", "4711", None)
    assert first.enrolment.hospital.site == "clinic"
    second = renew_online(identity)
    assert not same_key(first.certificate.public_key(), second.certificate.public_key())
    assert second.certificate.subject == first.certificate.subject
    key = read_key((second.folder / "key.pem").read_bytes(), "")
    assert same_key(key.public_key(), second.certificate.public_key())
    assert stat.S_IMODE((second.folder / "key.pem").stat().st_mode) == 0o600
    assert "/.well-known/est/simplereenroll" in est_server.asked


def test_through_a_proxy_that_allows_it_and_not_through_one_that_does_not(
    identity: Identity, est_server: Any, hospital_of: HospitalOf, proxy_to: Callable[..., Any]
) -> None:
    est_server.codes["box-1"] = "4711"
    hospital = hospital_of(est_server)
    with pytest.raises(EnrolmentError, match=r"cannot be reached through the proxy 127\.0\.0\.1:\d+: .*403"):
        enrol_online(identity, hospital, "box-1", "4711", proxy_to().url)
    proxy = proxy_to(est_server.port)
    enrol_online(identity, hospital, "box-1", "4711", proxy.url)
    renew_online(identity)
    assert reach_online(identity) == f"the EST server localhost:{est_server.port} answers"
    assert set(proxy.asked) == {f"localhost:{est_server.port}"}


@pytest.mark.parametrize("name", ["a..b", ".", "a" * 64 + ".example"])
def test_a_name_that_no_host_has_is_refused_and_ends_no_renewal(
    identity: Identity, est_server: Any, hospital_of: HospitalOf, name: str
) -> None:
    told = hospital_of(est_server)
    with pytest.raises(ValidationError, match=r"est\.host"):
        hospital_of(est_server, est={"host": name})
    with pytest.raises(SettingsError, match="not a proxy's address"):
        enrol_online(identity, told, "box-1", "4711", f"http://{name}:8080")
    assert told.est is not None
    stored = told.model_copy(update={"est": told.est.model_copy(update={"host": name})})
    with pytest.raises(EnrolmentError, match="cannot be reached"):
        enrol_online(identity, stored, "box-1", "4711", None)


def test_what_the_server_does_not_accept_is_told_and_changes_nothing(
    identity: Identity, est_server: Any, hospital_of: HospitalOf
) -> None:
    hospital = hospital_of(est_server)
    est_server.codes["box-1"] = "4711"
    with pytest.raises(EnrolmentError, match="does not accept the one-time code"):
        enrol_online(identity, hospital, "box-1", "4712", None)
    est_server.refuse = "this box was\nretired"
    with pytest.raises(EnrolmentError, match="refuses: 403 this box was retired"):
        enrol_online(identity, hospital, "box-1", "4711", None)
    est_server.refuse, est_server.late = None, 1
    with pytest.raises(LaterError) as caught:
        enrol_online(identity, hospital, "box-1", "4711", None)
    assert caught.value.retry_s == 1.0
    assert not identity.exists
    enrol_online(identity, hospital, "box-1", "4711", None)


def test_a_server_that_another_authority_vouches_for_is_never_told_the_code(
    identity: Identity, est_server: Any, hospital_of: HospitalOf
) -> None:
    foreign = pem_of([authority_certificate("foreign", new_key(), timedelta(days=1))]).decode()
    with pytest.raises(EnrolmentError, match="its certificate is refused: "):
        enrol_online(identity, hospital_of(est_server, ca=foreign), "box-1", "4711", None)
    assert est_server.asked == []


def test_the_code_comes_from_a_file_or_a_credential_and_is_nowhere_else(
    tmp_path: Path, est_server: Any, hospital_of: HospitalOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_told(tmp_path / "hospital.json", hospital_of(est_server))
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[enrolment]\nfolder = "{tmp_path / "enrolment"}"\n')
    (tmp_path / "code").write_text("4711\n")
    command = ["enrol", "est", str(tmp_path / "hospital.json"), "--box", "box-1", "--settings", str(settings)]
    said = CliRunner().invoke(rehabbox, command, standalone_mode=False)
    assert "--code-file" in str(said.exception)

    est_server.codes["box-1"], est_server.late = "4711", 1
    said = CliRunner().invoke(rehabbox, [*command, "--code-file", str(tmp_path / "code")], standalone_mode=False)
    assert said.exception is None
    assert "box box-1 of clinic: enrolled until" in said.output
    assert "asking again in 1 s" in said.output
    kept = [file.read_bytes() for file in (tmp_path / "enrolment").rglob("*") if file.is_file()]
    assert not any(b"4711" in one for one in kept)

    (tmp_path / "rehabbox.enrolment-code").write_text("0815")
    est_server.codes["box-1"] = "0815"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert CliRunner().invoke(rehabbox, command, standalone_mode=False).exception is None
    show = CliRunner().invoke(rehabbox, ["enrol", "show", "--settings", str(settings)], standalone_mode=False).output
    assert f"goes out to localhost:{est_server.port} (TCP, TLS): enrolment" in show
    assert "goes out to localhost:8883 (TCP, TLS): broker" in show
    assert fingerprint(est_server.authority) in show


def test_renewal_is_due_from_two_thirds_of_the_life_spread_over_a_twenty_fourth(
    identity: Identity, est_server: Any, hospital_of: HospitalOf
) -> None:
    est_server.codes["box-1"] = "1"
    current = enrol_online(identity, hospital_of(est_server), "box-1", "1", None)
    shares = set()
    for _ in range(8):
        certificate = current.certificate
        begin, life = (
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc - certificate.not_valid_before_utc,
        )
        assert due_at(current) == due_at(identity.current())
        shares.add(round((due_at(current) - begin) / life, 4))
        current = renew_online(identity)
    assert all(2 / 3 - 1e-3 <= share <= 2 / 3 + 1 / 24 + 1e-3 for share in shares)
    assert len(shares) > 4


def wait_until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + 8
    while not true():
        assert monotonic() < deadline
        sleep(0.02)


def test_a_box_renews_by_itself_again_and_again_and_calls_when_it_cannot(
    identity: Identity, est_server: Any, hospital_of: HospitalOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "FIRST_RETRY_S", 0.1)
    est_server.codes["box-1"] = "1"
    est_server.life = timedelta(seconds=-90)  # of the life from five minutes before, more than two thirds are over
    with pytest.raises(EnrolmentError, match="check the box's clock"):
        enrol_online(identity, hospital_of(est_server), "box-1", "1", None)
    est_server.codes["box-1"] = "1"
    est_server.life = timedelta(seconds=60)
    enrol_online(identity, hospital_of(est_server), "box-1", "1", None)
    broker = broker_settings(identity)
    renewed, alerts, fits = threading.Event(), [], []
    ending = threading.Event()

    def read_all_the_time() -> None:
        while not ending.is_set():
            tls_context(broker)
            fits.append(True)

    reader = threading.Thread(target=read_all_the_time)
    reader.start()
    est_server.refuse = "out of order"
    watched = Renewal(identity, renewed.set, alerts.append)
    watched.start()
    try:
        wait_until(lambda: len(alerts) > 1)
        assert "out of order" in str(alerts[-1])
        assert "is valid until" in str(alerts[-1])
        assert not renewed.is_set()
        est_server.refuse = None  # and gives what is due again at once
        wait_until(lambda: "due again at once" in str(alerts[-1]))
        assert alerts.count(None) < 10
        renewed.clear()
        est_server.life = timedelta(days=30)
        wait_until(renewed.is_set)
        wait_until(lambda: alerts[-1] is None)
        assert identity.current().certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=29)
    finally:
        watched.stop()
        ending.set()
        reader.join()
    assert len(fits) > 10


def broker_settings(identity: Identity) -> BrokerSettings:
    place = identity.folder / "current"
    files = {"ca": place / "ca.pem", "certificate": place / "certificate.pem", "key": place / "key.pem"}
    return BrokerSettings(host="localhost", site="clinic", box="box-1", **files)


def test_without_a_server_somebody_is_called_for_when_eleven_twelfths_of_the_life_are_over(
    identity: Identity, answer_to: Callable[[bytes], Any]
) -> None:
    current = identity.install(answer_to(identity.request("box-1")))
    certificate = current.certificate
    left = certificate.not_valid_after_utc - due_at(current)
    assert timedelta(days=30) < left < timedelta(days=62)
    with pytest.raises(EnrolmentError, match="rehabbox fleet renew"):
        renew_online(identity)


def test_without_a_server_a_request_goes_out_and_its_answer_alone_is_put_in_force(
    identity: Identity, answer_to: Callable[[bytes], Any]
) -> None:
    before = identity.install(answer_to(identity.request("box-1")))
    renewed: list[bool] = []
    renewal_ = Renewal(identity, lambda: renewed.append(True), lambda what: None)
    assert not renewal_.online
    told = answer_to(renewal_.request().encode())
    foreign = answer_to(make_request(subject("box-1"), new_key()).public_bytes(Encoding.PEM)).certificate
    for wrong, why in (("no certificate", "holds no PEM"), (foreign, "for another key")):
        with pytest.raises(EnrolmentError, match=why):
            renewal_.install(wrong)
    assert identity.current() == before
    certificate = renewal_.install(told.certificate)
    assert identity.current().certificate == certificate
    assert identity.current().enrolment.hospital == before.enrolment.hospital
    assert renewed == [True]
