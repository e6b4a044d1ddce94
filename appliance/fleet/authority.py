"""The local certificate authority of a small site: a key in a file, used on this machine, with no server around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from appliance.errors import FleetError
from appliance.fleet.store import Issued
from appliance.hospital.certificates import (
    PublicKey,
    authority_certificate,
    end_certificate,
    new_key,
    pem_of,
    read_certificates,
    read_file,
)

Files = dict[str, tuple[bytes, int]]
"""By their names in the fleet's folder: content and mode."""
LIFE = timedelta(days=20 * 365)


def new_authority(name: str, passphrase: str | None) -> Files:
    """`ca.pem` and `ca.key`, encrypted where there is a passphrase. Raises `FleetError` where that is too long."""
    key = new_key()
    protection: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        protection = BestAvailableEncryption(passphrase.encode())
    try:
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    except ValueError as error:
        raise FleetError(f"this passphrase cannot protect the authority's key: {error}") from None
    return {"ca.key": (private, 0o600), "ca.pem": (pem_of([authority_certificate(name, key, LIFE)]), 0o644)}


class LocalAuthority:
    """Opened for a moment, to sign. Raises `FleetError`."""

    def __init__(self, folder: Path, passphrase: str | None) -> None:
        file = folder / "ca.key"
        if not file.exists():
            raise FleetError(f"{folder}: the hospital's own authority signs here; ask it for a certificate instead")
        try:
            key = load_pem_private_key(read_file(file), passphrase.encode() if passphrase is not None else None)
        except TypeError:
            is_ = "is encrypted: name its passphrase's file with --passphrase-file"
            raise FleetError(f"{file}: {is_ if passphrase is None else 'is not encrypted'}") from None
        except ValueError:
            raise FleetError(f"{file}: the passphrase is wrong, or the key is damaged") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise FleetError(f"{file}: is not an EC key")
        self._key = key
        self.certificate = read_certificates(read_file(folder / "ca.pem"), folder / "ca.pem")[0]

    def issue(
        self, name: str, key: PublicKey, life: timedelta, server_names: list[x509.GeneralName] | None = None
    ) -> Issued:
        """A client's certificate, or with `server_names` a server's."""
        made = end_certificate(name, key, self.certificate, self._key, life, server_names)
        at, until = datetime.now(UTC), made.not_valid_after_utc
        return Issued(f"{made.serial_number:x}", name, at, until, pem_of([made]).decode(), None, None)

    def revocation_list(self, revoked: list[Issued]) -> bytes:
        """PEM. It is valid as long as the authority: the broker reads it from its own disk, and an outdated list would
        lock out every box and not only the revoked ones."""
        now = datetime.now(UTC)
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now)
            .next_update(self.certificate.not_valid_after_utc)
            .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for one in revoked:
            assert one.revoked is not None
            entry = x509.RevokedCertificateBuilder().serial_number(int(one.serial, 16)).revocation_date(one.revoked)
            if one.reason not in (None, "unspecified"):
                entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags[one.reason]), critical=False)
            crl = crl.add_revoked_certificate(entry.build())
        return crl.sign(self._key, SHA256()).public_bytes(Encoding.PEM)
