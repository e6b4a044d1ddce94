"""The box's identity on disk: key, certificate and what the hospital said, changed all at once or not at all.

    enrolment/           readable by the box alone
      request/           a key whose certificate has not come yet
      0002/              key.pem, certificate.pem, ca.pem, reference-key.pem, enrolment.json, settings.toml
      current -> 0002    one rename puts a new identity in force

The folder before the current one stays, so that whoever was just reading it finds key and certificate that belong
together.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.enrolment.durable import point, write_durably
from appliance.enrolment.hospital_file import Enrolment, Hospital, read_enrolment, write_told
from appliance.errors import EnrolmentError, RecordingError
from appliance.hospital.certificates import (
    check_box_certificate,
    common_name,
    key_pem,
    make_request,
    new_key,
    pem_of,
    public_key_of,
    read_certificates,
    read_file,
    read_key,
    same_key,
    subject,
)
from appliance.recording.disk import lock_folder, sync_folder

DROP_IN = "settings.toml"
KEPT = 2
"""Identities on disk: the one in force and the one before."""


@dataclass(frozen=True, slots=True)
class Current:
    """The identity in force. folder: its own, not the link to it."""

    folder: Path
    enrolment: Enrolment

    @property
    def certificate(self) -> x509.Certificate:
        return read_certificates(self.enrolment.certificate.encode(), self.folder / "certificate.pem")[0]


class Identity:
    """`folder` is made when something is put into it. Everything here raises `EnrolmentError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def exists(self) -> bool:
        """Whether the box was enrolled."""
        return (self.folder / "current").exists()

    def current(self) -> Current:
        """Raises where the box is not enrolled."""
        if not self.exists:
            raise EnrolmentError(f"{self.folder}: this box is not enrolled; begin with rehabbox enrol request")
        folder = (self.folder / "current").resolve()
        return Current(folder, read_enrolment(folder / "enrolment.json"))

    def request(self, box: str) -> bytes:
        """A PKCS#10 request, PEM, for a new key. Asked again for the same box before the answer, it is the same one."""
        with self._locked():
            place = self.folder / "request"
            file = place / "request.pem"
            if file.exists() and self._waits(_read_request(file), box):
                return read_file(file)
            place.mkdir(mode=0o700, exist_ok=True)
            key = new_key()
            request = make_request(subject(box), key).public_bytes(Encoding.PEM)
            file.unlink(missing_ok=True)  # a key is never there with another's request
            write_durably(place / "key.pem", key_pem(key), 0o600)
            write_durably(file, request, 0o600)
            self._give_to_owner(place)
            return request

    def install(self, told: Enrolment, proxy: str | None = None) -> Current:
        """Puts the answer to `request` in force, after everything in it was checked.

        The same answer again, as long as it is in force, changes nothing.
        """
        with self._locked():
            with suppress(EnrolmentError):
                if (now := self.current()).enrolment == told and proxy == proxy_of(now):
                    return now
            file, key = self._key_for(read_certificates(told.certificate.encode(), "certificate")[0])
            current = self._put(told, key, proxy)
            if file.parent.name == "request":
                shutil.rmtree(file.parent, ignore_errors=True)
            return current

    def _waits(self, request: x509.CertificateSigningRequest, box: str) -> bool:
        """Whether it is that box's and was not answered: a power cut may have left one whose key is in force."""
        with suppress(EnrolmentError):
            if same_key(request.public_key(), self.current().certificate.public_key()):
                return False
        return common_name(request.subject) == box

    def _key_for(self, certificate: x509.Certificate) -> tuple[Path, ec.EllipticCurvePrivateKey]:
        """The request's, or that in force: the same certificate under changed circumstances."""
        files = [self.folder / "request" / "key.pem", self.folder / "current" / "key.pem"]
        keys = [(file, read_key(read_file(file), file)) for file in files if file.exists()]
        if not keys:
            raise EnrolmentError(f"{self.folder}: this box has made no key; begin with rehabbox enrol request")
        wanted = public_key_of(certificate, "certificate")
        return next((found for found in keys if same_key(found[1].public_key(), wanted)), keys[0])

    def answer(self, certificate: str) -> Current:
        """Puts the certificate (PEM, with those between it and the authority) for a `request` in force, and no more."""
        now = self.current()
        read_certificates(certificate.encode(), "certificate")
        return self.install(now.enrolment.model_copy(update={"certificate": certificate}), proxy_of(now))

    def renew(
        self, chain: list[x509.Certificate], ca: list[x509.Certificate], key: ec.EllipticCurvePrivateKey
    ) -> Current:
        """Puts a new key and its certificate in force; all else stays as it is."""
        with self._locked():
            now = self.current()
            hospital = now.enrolment.hospital.model_copy(update={"ca": pem_of(ca).decode()})
            told = now.enrolment.model_copy(update={"certificate": pem_of(chain).decode(), "hospital": hospital})
            return self._put(told, key, proxy_of(now))

    def _put(self, told: Enrolment, key: ec.EllipticCurvePrivateKey, proxy: str | None) -> Current:
        ca = read_certificates(told.hospital.ca.encode(), "hospital.ca")
        check_box_certificate(read_certificates(told.certificate.encode(), "certificate"), ca, told.box, key)
        number = 1 + max((int(one.name) for one in self._generations()), default=0)
        place = self.folder / f"{number:04d}"
        building = self.folder / f".{place.name}.tmp"
        shutil.rmtree(building, ignore_errors=True)
        try:
            building.mkdir(mode=0o700)
            write_durably(building / "key.pem", key_pem(key), 0o600)
            write_durably(building / "certificate.pem", told.certificate.encode(), 0o644)
            write_durably(building / "ca.pem", told.hospital.ca.encode(), 0o644)
            if told.hospital.reference_key is not None:
                write_durably(building / "reference-key.pem", told.hospital.reference_key.encode(), 0o644)
            write_told(building / "enrolment.json", told)
            drop_in = _drop_in(told, self.folder.absolute() / "current", proxy)
            write_durably(building / DROP_IN, drop_in.encode(), 0o644)
            self._give_to_owner(building)
            building.rename(place)
            sync_folder(self.folder)
        except OSError as error:
            raise EnrolmentError(f"{place}: cannot be written: {error.strerror}") from None
        point(self.folder / "current", place.name)
        for old in sorted(self._generations())[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return Current(place.resolve(), told)

    def _generations(self) -> Iterator[Path]:
        return (one for one in self.folder.iterdir() if one.name.isdigit())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = lock_folder(self.folder)
            self.folder.chmod(0o700)
        except RecordingError as error:
            raise EnrolmentError(str(error)) from None
        except OSError as error:
            raise EnrolmentError(f"{self.folder}: {error.strerror}") from None
        with lock:
            self._give_to_owner(self.folder)
            yield

    def _give_to_owner(self, what: Path) -> None:
        """An administrator enrols as root; the daemon, whose folder this lies in, must be able to read and renew."""
        if os.geteuid() != 0:
            return
        owner = self.folder.absolute().parent.stat()
        for one in (what, *what.iterdir()):
            os.chown(one, owner.st_uid, owner.st_gid, follow_symlinks=False)


def proxy_of(current: Current) -> str | None:
    """The outbound proxy the box was enrolled with. Raises `EnrolmentError` where the drop-in is damaged."""
    file = current.folder / DROP_IN
    try:
        proxy: str | None = tomllib.loads(read_file(file).decode())["broker"].get("proxy")
    except (ValueError, KeyError, AttributeError):
        raise EnrolmentError(f"{file}: is damaged; enrol the box again (rehabbox enrol install)") from None
    return proxy


def _read_request(file: Path) -> x509.CertificateSigningRequest:
    try:
        return x509.load_pem_x509_csr(read_file(file))
    except ValueError:
        raise EnrolmentError(f"{file}: is damaged; remove it and request again") from None


def _drop_in(told: Enrolment, current: Path, proxy: str | None) -> str:
    hospital: Hospital = told.hospital
    broker: dict[str, object] = {
        "host": hospital.broker.host,
        "port": hospital.broker.port,
        "site": hospital.site,
        "box": told.box,
        "ca": str(current / "ca.pem"),
        "certificate": str(current / "certificate.pem"),
        "key": str(current / "key.pem"),
    }
    if proxy is not None:
        broker["proxy"] = proxy
    tables = {"broker": broker}
    if hospital.reference_key is not None:
        tables["session"] = {"reference_key": str(current / "reference-key.pem")}
    lines = ["# Written by `rehabbox enrol`. It goes before the settings file; the environment goes before it."]
    for table, keys in tables.items():
        lines += ["", f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"
