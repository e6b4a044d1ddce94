"""A new fleet: its folder, settings, authority, and the key that references are signed with."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.enrolment.durable import write_durably
from appliance.errors import FleetError
from appliance.fleet.audit import AuditLog
from appliance.fleet.authority import make_authority
from appliance.fleet.settings import write_fleet_settings
from appliance.fleet.store import Store
from appliance.fleet.transaction import locked, transaction
from appliance.hospital.certificates import pem_of, read_certificates, read_file


def make_fleet(
    folder: Path,
    sites: tuple[str, ...],
    broker: tuple[str, int],
    systems_port: int,
    est: tuple[str, int] | None = None,
    ca: Path | None = None,
    passphrase: str | None = None,
) -> None:
    """A new fleet's folder, readable by its owner alone.

    broker, est: host and port; ca: the hospital's own authority, else a local one is made. Raises `FleetError` where
    there is a fleet already.
    """
    if (folder / "fleet.sqlite").exists():
        raise FleetError(f"{folder}: is a fleet's folder already; change its fleet.toml")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise FleetError(f"{folder}: {error.strerror}") from None
    write_fleet_settings(folder / "fleet.toml", sites, broker, systems_port, est)
    if ca is None:
        make_authority(folder, f"RehabBox authority of {sites[0]}", passphrase)
    else:
        write_durably(folder / "ca.pem", pem_of(read_certificates(read_file(ca), ca)), 0o644)
    _make_reference_key(folder)
    with locked(folder):
        store = Store(folder / "fleet.sqlite", create=True)
        with transaction(store):
            store.create()
            entry = {"what": "init", "sites": list(sites), "authority": "local" if ca is None else "the hospital's"}
            store.head = AuditLog(folder / "audit.jsonl").append(store.head, [entry])
        store.db.close()


def _make_reference_key(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_durably(folder / "reference-signing.key", private, 0o600)
    write_durably(folder / "reference-key.pem", public, 0o644)
