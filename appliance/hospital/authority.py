"""A throw-away certificate authority for the demo and the tests. A hospital has its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from appliance.hospital.certificates import authority_certificate, end_certificate, key_pem, new_key, pem_of

LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Two PEM files; the key's is readable by its owner alone."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates (EC P-256, valid for `life`) into `folder`; its own key never leaves the memory."""

    def __init__(self, folder: Path, life: timedelta = LIFE) -> None:
        self._folder, self._life = folder, life
        self._key = new_key()
        self._signer = authority_certificate("RehabBox throw-away authority", self._key, life)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.certificate = folder / "ca.pem"
        self.certificate.write_bytes(pem_of([self._signer]))

    def client(self, common_name: str) -> Credentials:
        """For a box or a hospital system; the common name becomes its user name at the broker."""
        return self._issue(common_name, None)

    def server(self, host_names: tuple[str, ...], addresses: tuple[str, ...] = ()) -> Credentials:
        """For a broker that is reached under these names and IP addresses."""
        names = [*map(x509.DNSName, host_names), *(x509.IPAddress(ip_address(one)) for one in addresses)]
        return self._issue(host_names[0], names)

    def _issue(self, common_name: str, names: list[x509.GeneralName] | None) -> Credentials:
        key = new_key()
        certificate = end_certificate(common_name, key.public_key(), self._signer, self._key, self._life, names)
        files = Credentials(self._folder / f"{common_name}.pem", self._folder / f"{common_name}.key")
        files.certificate.write_bytes(pem_of([certificate]))
        with os.fdopen(os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key_pem(key))
        return files
