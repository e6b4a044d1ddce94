"""A box's identity: made on the box, checked before it is in force, changed all at once."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.enrolment.hospital_file import Enrolment, read_enrolment, write_told
from appliance.enrolment.identity import Identity, proxy_of
from appliance.errors import EnrolmentError
from appliance.fleet.authority import LocalAuthority
from appliance.hospital.certificates import make_request, new_key, same_key, subject
from appliance.hospital.settings import tls_context
from appliance.settings import load_settings

Answer = Callable[[bytes], Enrolment]

ON_SECP112R1 = """\
-----BEGIN CERTIFICATE-----
MIIBKzCB9qADAgECAhQFg07vO01u3fsO/czwa6sivokVjzAKBggqhkjOPQQDAjAQ
MQ4wDAYDVQQDDAVib3gtMTAgFw0yNjExMjkxNDU5NDFaGA8yMTI2MTEwNTE0NTk0
MVowEDEOMAwGA1UEAwwFYm94LTEwMjAQBgcqhkjOPQIBBgUrgQQABgMeAARDgZvM
vlBKzZMsxDNuvlIkeypESDaHMOoz3piAo1MwUTAdBgNVHQ4EFgQUvCdJZG/0Hgyd
KfIj802dqa3uUCgwHwYDVR0jBBgwFoAUvCdJZG/0HgydKfIj802dqa3uUCgwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgMkADAhAg5N2yaHQojyYbcrkk7iDwIP
AJWmsmM85AP9jY+VB1/7
-----END CERTIFICATE-----
"""
SETTINGS = """
[enrolment]
folder = "{folder}"
[broker]
host = "elsewhere"
keepalive_s = 20
site = "none"
box = "none"
ca = "none"
certificate = "none"
key = "none"
[camera]
driver = "synthetic"
"""


def settings_of(identity: Identity) -> Path:
    file = identity.folder.parent / "settings.toml"
    file.write_text(SETTINGS.format(folder=identity.folder))
    return file


def test_a_key_is_made_on_the_box_for_it_alone_and_a_request_repeated_is_the_same(identity: Identity) -> None:
    request = identity.request("box-1")
    assert identity.request("box-1") == request
    assert b"PRIVATE" not in request
    key = identity.folder / "request" / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(identity.folder.stat().st_mode) == 0o700
    assert identity.request("box-2") != request


def test_an_answer_puts_certificate_authority_broker_site_and_reference_key_in_force(
    identity: Identity, answer_to: Answer
) -> None:
    current = identity.install(answer_to(identity.request("box-1")), "http://proxy.example:3128")
    settings = load_settings(settings_of(identity), {})
    broker = settings.broker
    assert (broker.host, broker.port, broker.site, broker.box) == ("localhost", 8883, "clinic", "box-1")
    assert (broker.keepalive_s, broker.proxy_address) == (20, ("proxy.example", 3128))
    assert settings.session.reference_key == identity.folder / "current" / "reference-key.pem"
    assert stat.S_IMODE(broker.key.stat().st_mode) == 0o600
    tls_context(broker)
    assert not (identity.folder / "request").exists()
    assert current.certificate.not_valid_after_utc > current.certificate.not_valid_before_utc


def test_the_environment_goes_before_what_the_hospital_said(identity: Identity, answer_to: Answer) -> None:
    identity.install(answer_to(identity.request("box-1")))
    assert load_settings(settings_of(identity), {"REHABBOX_BROKER__HOST": "here"}).broker.host == "here"


def test_the_same_answer_again_changes_nothing(identity: Identity, answer_to: Answer) -> None:
    told = answer_to(identity.request("box-1"))
    folder = identity.install(told).folder
    assert identity.install(told).folder == folder


def test_changed_circumstances_leave_a_request_that_waits_alone(identity: Identity, answer_to: Answer) -> None:
    told = answer_to(identity.request("box-1"))
    identity.install(told)
    waiting = identity.request("box-1")
    assert proxy_of(identity.install(told, "http://proxy:3128")) == "http://proxy:3128"
    assert identity.request("box-1") == waiting
    identity.install(answer_to(waiting))


def test_a_request_that_was_answered_is_not_sent_again_after_a_power_cut(
    identity: Identity, answer_to: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = identity.request("box-1")
    with monkeypatch.context() as cut:
        cut.setattr(shutil, "rmtree", lambda *_, **__: None)
        identity.install(answer_to(answered))
    assert (identity.folder / "request" / "request.pem").read_bytes() == answered
    assert identity.request("box-1") != answered


@pytest.mark.parametrize("content", [b"", b"[broker", b"broker = 1", b"\xff"])
def test_a_damaged_drop_in_is_one_line_that_names_it(identity: Identity, answer_to: Answer, content: bytes) -> None:
    told = answer_to(identity.request("box-1"))
    file = identity.install(told).folder / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(EnrolmentError, match=r"settings\.toml: is damaged; enrol the box again"):
        proxy_of(identity.current())
    assert proxy_of(identity.install(told)) is None


def test_an_answer_for_another_box_key_authority_or_time_is_refused_and_changes_nothing(
    identity: Identity, answer_to: Answer, fleet: Path, tmp_path: Path
) -> None:
    before = identity.install(answer_to(identity.request("box-1")))
    request = identity.request("box-1")
    good = answer_to(request)
    authority = LocalAuthority(fleet, None)
    key = x509.load_pem_x509_csr(request).public_key()
    another = answer_to(make_request(subject("box-2"), new_key()).public_bytes(Encoding.PEM))
    past = authority.issue("box-1", key, timedelta(minutes=-1)).pem  # type: ignore[arg-type]
    server = authority.issue("box-1", key, timedelta(days=1), [x509.DNSName("box-1")]).pem  # type: ignore[arg-type]
    foreign = good.hospital.model_copy(update={"ca": good.certificate})
    for told, why in (
        (good.model_copy(update={"certificate": another.certificate}), "issued to box-2, not to box-1"),
        (answer_to(make_request(subject("box-1"), new_key()).public_bytes(Encoding.PEM)), "another key"),
        (good.model_copy(update={"certificate": past}), "check the box's clock"),
        (good.model_copy(update={"certificate": server}), "not for a client"),
        (good.model_copy(update={"hospital": foreign}), "not signed by"),
    ):
        with pytest.raises(EnrolmentError, match=why):
            identity.install(told)
        assert identity.current() == before
    assert identity.install(good).folder != before.folder


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Invalid JSON"),
        (b"{}", "box"),
        (b'{"box": "a/b"}', "box"),
        (b"\xff\xfe", "Invalid JSON"),
    ],
)
def test_a_damaged_answer_is_one_line_that_names_file_and_field(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "answer.json"
    file.write_bytes(content)
    with pytest.raises(EnrolmentError, match=why) as caught:
        read_enrolment(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_certificate_with_a_key_of_an_unknown_kind_is_refused_in_one_line(
    identity: Identity, answer_to: Answer
) -> None:
    told = answer_to(identity.request("box-1"))
    with pytest.raises(EnrolmentError, match="has a key of a kind not known here"):
        identity.install(told.model_copy(update={"certificate": ON_SECP112R1}))
    assert not identity.exists


def test_an_answer_is_the_same_after_it_was_carried(answer_to: Answer, identity: Identity, tmp_path: Path) -> None:
    told = answer_to(identity.request("box-1"))
    write_told(tmp_path / "answer.json", told)
    assert read_enrolment(tmp_path / "answer.json") == told


def test_power_cut_at_any_step_of_a_change_leaves_the_old_identity_or_the_new_one(
    identity: Identity, answer_to: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = answer_to(identity.request("box-1"))
    identity.install(old)
    settings = load_settings(settings_of(identity), {}).broker
    new = answer_to(identity.request("box-1"))
    sync, steps, cut = os.fsync, 0, 0

    class PowerCut(BaseException):
        pass

    def cut_at(descriptor: int) -> None:
        nonlocal steps
        steps += 1
        if steps == cut:
            raise PowerCut
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", cut_at)
    seen = set()
    for cut in range(1, 100):
        steps = 0
        with suppress(PowerCut):
            identity.install(new)
        current = identity.current()
        assert current.enrolment in (old, new)
        seen.add(current.enrolment == new)
        tls_context(settings)
        if steps < cut:
            break
    assert seen == {True, False}
    assert cut > 10


def test_a_box_that_is_not_enrolled_is_told_how(identity: Identity) -> None:
    with pytest.raises(EnrolmentError, match="rehabbox enrol request"):
        identity.current()


def test_key_and_certificate_fit_for_a_reader_at_any_moment_of_a_renewal(
    identity: Identity, answer_to: Answer, fleet: Path
) -> None:
    current = identity.install(answer_to(identity.request("box-1")))
    settings = load_settings(settings_of(identity), {}).broker
    for _ in range(3):
        key, authority = new_key(), LocalAuthority(fleet, None)
        tls_context(settings)
        made = authority.issue("box-1", key.public_key(), timedelta(days=1))
        ca = x509.load_pem_x509_certificates(current.enrolment.hospital.ca.encode())
        renewed = identity.renew([x509.load_pem_x509_certificate(made.pem.encode())], ca, key)
        assert (current.folder / "key.pem").exists()  # whoever was just reading it goes on
        assert same_key(renewed.certificate.public_key(), key.public_key())
        current = renewed
    assert len([one for one in identity.folder.iterdir() if one.name.isdigit()]) == 2
