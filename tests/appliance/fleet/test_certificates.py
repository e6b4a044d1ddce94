"""Who is let in and who no longer, and what of it reaches the broker's files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from matplotlib import image

from appliance.enrolment.hospital_file import read_enrolment, read_hospital
from appliance.hospital.certificates import (
    alternative_names,
    authority_certificate,
    common_name,
    fingerprint,
    issued_by,
    new_key,
    pem_of,
    subject,
)

FLEET = Path("fleet")
RequestOf = Callable[[str], Path]


def state_of(it: Any, name: str) -> str:
    listed = json.loads(it("list", "--json").stdout)
    return next(
        str(one["state"]) for one in listed["boxes"] + listed["users"] if name in (one.get("box"), one.get("user"))
    )


def serial_numbers_of_the_revoked() -> set[int]:
    crl = x509.load_pem_x509_crl((FLEET / "broker" / "crl.pem").read_bytes())
    authority = x509.load_pem_x509_certificate((FLEET / "ca.pem").read_bytes())
    assert crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    return {entry.serial_number for entry in crl}


def test_a_box_in_the_list_is_signed_and_the_same_request_again_gives_the_same_certificate(
    clinic: Any, request_of: RequestOf
) -> None:
    clinic("add", "box-1")
    file = request_of("box-1")
    assert clinic("sign", file).exception is None
    told = read_enrolment(Path("box-1.enrolment.json"))
    certificate = x509.load_pem_x509_certificate(told.certificate.encode())
    assert issued_by(certificate, x509.load_pem_x509_certificate((FLEET / "ca.pem").read_bytes()))
    assert told.hospital == read_hospital_of(clinic)
    before = (FLEET / "audit.jsonl").read_bytes()
    clinic("sign", file)
    assert read_enrolment(Path("box-1.enrolment.json")) == told
    assert (FLEET / "audit.jsonl").read_bytes() == before
    assert state_of(clinic, "box-1") == "enrolled"


def read_hospital_of(it: Any) -> object:
    it("hospital", "--out", "hospital.json")
    return read_hospital(Path("hospital.json"))


def test_what_may_not_be_signed_is_named(clinic: Any, request_of: RequestOf, tmp_path: Path) -> None:
    assert "'box-1' is not in the list" in str(clinic("sign", request_of("box-1")).exception)
    clinic("add", "box-1")
    clinic("sign", request_of("box-1"))
    assert "has a certificate until" in str(clinic("sign", request_of("box-1")).exception)
    assert clinic("sign", "--again", request_of("box-1")).exception is None
    weak = tmp_path / "weak.csr"
    key = rsa.generate_private_key(65537, 1024)
    request = x509.CertificateSigningRequestBuilder().subject_name(subject("box-1")).sign(key, SHA256())
    weak.write_bytes(request.public_bytes(Encoding.PEM))
    assert "is not an EC key" in str(clinic("sign", weak).exception)
    bent = request_of("box-1")
    der = bytearray(x509.load_pem_x509_csr(bent.read_bytes()).public_bytes(Encoding.DER))
    der[-3] ^= 1
    bent.write_bytes(x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM))
    assert "its signature is wrong" in str(clinic("sign", bent).exception)
    assert "is not a PEM certificate request" in str(clinic("sign", FLEET / "ca.pem").exception)


def test_revoked_boxes_are_on_the_list_and_shut_out_until_they_are_signed_again(
    clinic: Any, request_of: RequestOf
) -> None:
    clinic("broker")
    clinic("add", "box-1")
    clinic("sign", request_of("box-1"))
    first = x509.load_pem_x509_certificate(read_enrolment(Path("box-1.enrolment.json")).certificate.encode())
    clinic("revoke", "box-1", "--reason", "key_compromise")
    assert serial_numbers_of_the_revoked() == {first.serial_number}
    acl = FLEET / "broker" / "acl"
    assert "user box-1\ntopic deny #\n" in acl.read_text()
    assert state_of(clinic, "box-1") == "revoked"
    request = request_of("box-1")
    assert "was revoked; --again" in str(clinic("sign", request).exception)
    clinic("add", "box-1")  # a list that still names it does not let it in
    assert state_of(clinic, "box-1") == "revoked"
    clinic("sign", "--again", request)
    assert state_of(clinic, "box-1") == "enrolled"
    assert "user box-1" not in acl.read_text()
    assert serial_numbers_of_the_revoked() == {first.serial_number}


def test_a_box_signed_before_a_request_at_fault_is_let_in_all_the_same(clinic: Any, request_of: RequestOf) -> None:
    clinic("broker")
    clinic("add", "box-1")
    clinic("revoke", "box-1")
    assert "nothere.csr: cannot be read" in str(clinic("sign", "--again", request_of("box-1"), "nothere.csr").exception)
    assert Path("box-1.enrolment.json").exists()
    assert "user box-1" not in (FLEET / "broker" / "acl").read_text()


def test_names_longer_than_a_common_name_are_in_the_brokers_certificate(it: Any) -> None:
    host, site = f"{'broker.' * 20}example", "s" * 64
    assert it("init", "--site", site, "--broker", host).exception is None
    assert it("broker").exception is None
    certificate = x509.load_pem_x509_certificate((FLEET / "broker" / "broker.pem").read_bytes())
    assert alternative_names(certificate) == x509.SubjectAlternativeName([x509.DNSName(host)])
    assert common_name(certificate.subject) == host[:64]
    assert issued_by(certificate, x509.load_pem_x509_certificate((FLEET / "ca.pem").read_bytes()))


@pytest.mark.parametrize("name", ["", "a b", "münchen.example", "a" * 254])
def test_what_is_no_brokers_name_is_told_before_anything_is_written(clinic: Any, name: str) -> None:
    assert "is neither a host name nor an address" in str(clinic("broker", "--name", name).exception)
    assert not (FLEET / "broker").exists()


def test_a_brokers_certificate_without_names_is_made_anew(clinic: Any) -> None:
    clinic("broker")
    file, key = FLEET / "broker" / "broker.pem", new_key()
    file.write_bytes(pem_of([authority_certificate("localhost", key, timedelta(days=700))]))
    assert clinic("broker").exception is None
    held = alternative_names(x509.load_pem_x509_certificate(file.read_bytes()))
    assert held == x509.SubjectAlternativeName([x509.DNSName("localhost")])


def test_a_retired_box_never_comes_back(clinic: Any, request_of: RequestOf) -> None:
    clinic("broker")
    clinic("add", "box-1")
    clinic("sign", request_of("box-1"))
    clinic("retire", "box-1")
    assert len(serial_numbers_of_the_revoked()) == 1
    assert "is retired" in str(clinic("sign", "--again", request_of("box-1")).exception)
    assert "is retired for good" in str(clinic("admit", "box-1").exception)
    assert "1 retired" in clinic("add", "box-1").stdout
    assert state_of(clinic, "box-1") == "retired"
    assert "neither a box nor a user" in str(clinic("revoke", "box-9").exception)


def test_people_and_systems_have_roles_and_no_name_is_both_a_box_and_a_person(clinic: Any) -> None:
    clinic("broker")
    clinic("add", "box-1")
    clinic("user", "ward", "--role", "reader")
    clinic("user", "ris", "--role", "prescriber")
    acl = (FLEET / "broker" / "acl").read_text()
    assert "user ward\ntopic deny rehabbox/1/+/ward/#\ntopic read rehabbox/1/clinic/#\n\n" in acl
    assert "topic write rehabbox/1/clinic/+/prescription" in acl[acl.index("user ris") :]
    assert Path("ward.key").stat().st_mode & 0o777 == 0o600
    assert "there are administrator, prescriber, reader" in str(clinic("user", "x", "--role", "god").exception)
    assert "is the name of a box" in str(clinic("user", "box-1", "--role", "reader").exception)
    assert "is the name of a person" in str(clinic("add", "ward").exception)
    clinic("revoke", "ward")
    acl = (FLEET / "broker" / "acl").read_text()
    assert "user ward\ntopic deny #\n" in acl
    assert "topic read rehabbox/1/clinic/#\n\nuser ward" not in acl


def test_a_system_that_made_its_own_key_keeps_it(clinic: Any, request_of: RequestOf) -> None:
    assert clinic("user", "ris", "--role", "reader", "--request", request_of("ris")).exception is None
    assert Path("ris.pem").exists()
    assert not Path("ris.key").exists()
    said = clinic("user", "pacs", "--role", "reader", "--request", request_of("ris")).exception
    assert "was made for 'ris', not for 'pacs'" in str(said)


def test_an_encrypted_authority_signs_with_its_passphrase_only_and_a_wrong_one_changes_nothing(
    it: Any, request_of: RequestOf
) -> None:
    Path("phrase").write_text("correct horse\n")
    Path("wrong").write_text("battery staple\n")
    it("init", "--site", "clinic", "--broker", "localhost", "--passphrase-file", "phrase")
    assert b"ENCRYPTED" in (FLEET / "ca.key").read_bytes()
    it("add", "box-1")
    request = request_of("box-1")
    assert "--passphrase-file" in str(it("sign", request).exception)
    assert "passphrase is wrong" in str(it("sign", request, "--passphrase-file", "wrong").exception)
    assert it("sign", request, "--passphrase-file", "phrase").exception is None
    it("broker", "--passphrase-file", "phrase")
    assert "passphrase is wrong" in str(it("revoke", "box-1", "--passphrase-file", "wrong").exception)
    assert state_of(it, "box-1") == "enrolled"
    assert b"horse" not in (FLEET / "audit.jsonl").read_bytes()


def test_with_the_hospitals_own_authority_nothing_is_signed_here_and_a_lost_box_is_shut_out_all_the_same(
    it: Any, clinic: Any, request_of: RequestOf
) -> None:
    own = Path("own-ca.pem")
    own.write_bytes((FLEET / "ca.pem").read_bytes())
    assert it("--folder", "other", "init", "--site", "b", "--broker", "localhost", "--ca", own).exception is None
    it("--folder", "other", "add", "box-1")
    said = str(it("--folder", "other", "sign", request_of("box-1")).exception)
    assert "the hospital's own authority signs here" in said
    assert not (Path("other") / "ca.key").exists()
    clinic("broker")  # stands for one that the hospital's authority signed
    own = [str(FLEET / "broker" / f"broker.{kind}") for kind in ("pem", "key")]
    assert it("--folder", "other", "broker", "--certificate", own[0], "--key", own[1]).exception is None
    assert (
        "as reader, with a certificate of the hospital's"
        in it("--folder", "other", "user", "w", "--role", "reader").stdout
    )
    acl, conf = (Path("other") / "broker" / name for name in ("acl", "mosquitto.conf"))
    assert "user w\n" in acl.read_text()
    assert f"certfile {Path(own[0]).absolute()}\n" in conf.read_text()
    assert "crlfile" not in conf.read_text()
    it("--folder", "other", "revoke", "box-1")
    assert "user box-1\ntopic deny #" in acl.read_text()
    it("--folder", "other", "admit", "box-1")
    assert "user box-1" not in acl.read_text()
    assert '"state": "let in"' in it("--folder", "other", "list", "--json").stdout
    assert "revoke" in it("--folder", "other", "audit").stdout


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_label_says_box_serial_number_and_authority_and_its_code_can_be_read(clinic: Any, kind: str) -> None:
    clinic("add", "box-1", "--serial", "RB-2041")
    assert clinic("label", "box-1", "--out", f"label.{kind}").exception is None
    file = Path(f"label.{kind}")
    if kind == "png":
        text, *_ = cv2.QRCodeDetector().detectAndDecode((image.imread(file)[:, :, :3] * 255).astype("uint8"))
        authority = fingerprint(x509.load_pem_x509_certificate((FLEET / "ca.pem").read_bytes())).replace(":", "")
        assert text == f"rehabbox:enrol?box=box-1&serial=RB-2041&ca={authority}"
    elif kind == "svg":
        assert ">box-1<" in file.read_text()
        assert "Serial RB-2041" in file.read_text()
    else:
        clinic("add", "box-2")
        clinic("label", "--all", "--out", file)
        assert file.read_bytes().count(b"/Type /Page ") == 2


def test_labels_of_a_fleet_without_boxes_are_refused(clinic: Any) -> None:
    assert "has no box in service" in str(clinic("label", "--all", "--out", "labels.pdf").exception)
    assert not Path("labels.pdf").exists()


def test_what_cannot_be_a_label_is_named(clinic: Any) -> None:
    clinic("add", "box-1", "--serial", "\U0001f600" * 200)
    clinic("add", "box-2", "--serial", "$\\foo$")
    assert "box-1: its serial number is too long" in str(clinic("label", "box-1", "--out", "label.svg").exception)
    assert clinic("label", "box-2", "--out", "label.svg").exception is None
    assert "$\\foo$" in Path("label.svg").read_text()
    clinic("add", "box-0")
    assert clinic("label", "box-2", "--out", "labels.pdf").exception is None
    before = Path("labels.pdf").read_bytes()
    assert "box-1: its serial number is too long" in str(clinic("label", "--all", "--out", "labels.pdf").exception)
    assert Path("labels.pdf").read_bytes() == before
    assert ".pdf, .svg, .png" in str(clinic("label", "box-1", "--out", "label.gif").exception)
    assert "go into a .pdf" in str(clinic("label", "--all", "--out", "label.png").exception)
    assert "box-9: is no box in service" in str(clinic("label", "box-9", "--out", "label.png").exception)
