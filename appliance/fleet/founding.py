"""A new fleet: its folder, settings, authority, and the key that references are signed with."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.enrolment.durable import write_durably
from appliance.errors import FleetError
from appliance.fleet.audit import AuditLog
from appliance.fleet.authority import Files, new_authority
from appliance.fleet.settings import new_fleet_settings
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
    files = {"fleet.toml": (new_fleet_settings(sites, broker, systems_port, est), 0o644)}
    if ca is None:
        files |= new_authority(f"RehabBox authority of {sites[0]}", passphrase)
    else:
        files |= {"ca.pem": (pem_of(read_certificates(read_file(ca), ca)), 0o644)}
    files |= _new_reference_key()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise FleetError(f"{folder}: {error.strerror}") from None
    with locked(folder):
        if (folder / "fleet.sqlite").exists():
            raise FleetError(f"{folder}: is a fleet's folder already; change its fleet.toml")
        for name, (content, mode) in files.items():
            write_durably(folder / name, content, mode)
        store = Store(folder / "fleet.sqlite", create=True)
        with transaction(store):
            store.create()
            entry = {"what": "init", "sites": list(sites), "authority": "local" if ca is None else "the hospital's"}
            store.head = AuditLog(folder / "audit.jsonl").append(store.head, [entry])
        store.db.close()


def _new_reference_key() -> Files:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {"reference-signing.key": (private, 0o600), "reference-key.pem": (public, 0o644)}
