"""The broker's files: its certificate, whom it trusts, who is shut out, who may do what."""

from __future__ import annotations

import os
import pwd
import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from appliance.enrolment.durable import write_durably
from appliance.errors import FleetError
from appliance.fleet.authority import LocalAuthority
from appliance.fleet.fleet import Fleet
from appliance.hospital.broker_files import mosquitto_conf, rules
from appliance.hospital.certificates import alternative_names, key_pem, new_key, read_certificates, read_file


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """Of a broker whose certificate the hospital's own authority signed; mosquitto reads them where they are."""

    certificate: Path
    key: Path
    crl: Path | None = None


def write_broker(
    fleet: Fleet,
    out: Path,
    names: tuple[str, ...],
    user: str | None,
    passphrase: str | None,
    own: OwnFiles | None = None,
) -> None:
    """mosquitto.conf and all that it names. Without `own`, certificate and key of the broker are made anew where its
    names changed or two thirds of its life are over. user: whom mosquitto becomes when root starts it.

    Raises `FleetError`.
    """
    owner = _account(user)
    names = names or (fleet.settings.broker.host,)
    wanted = [_general_name(one) for one in names] if own is None else []
    try:
        (out / "state").mkdir(parents=True, exist_ok=True, mode=0o700)
        out.chmod(0o755)
    except OSError as error:
        raise FleetError(f"{out}: {error.strerror}") from None
    out = out.absolute()
    write_durably(out / "ca.pem", read_file(fleet.folder / "ca.pem"), 0o644)
    if own is None:
        _make_certificate(fleet, out, names, wanted, passphrase)
    with fleet.change():
        fleet.store.broker_files = out
    write_rules(fleet, passphrase)
    if own is None:
        own = OwnFiles(out / "broker.pem", out / "broker.key", out / "crl.pem")
    conf = mosquitto_conf(
        folder=out,
        certificate=own.certificate.absolute(),
        key=own.key.absolute(),
        crl=own.crl and own.crl.absolute(),
        state=out / "state",
        port=fleet.settings.broker.port,
        systems_port=fleet.settings.broker.systems_port,
        user=user or "",
    )
    write_durably(out / "mosquitto.conf", conf.encode(), 0o644)
    if owner is not None:  # of what the broker writes, and of its key; its rules it may only read
        for one in (out / "state", *(out / "state").iterdir(), *out.glob("broker.key")):
            os.chown(one, *owner)


def _make_certificate(
    fleet: Fleet, out: Path, names: tuple[str, ...], wanted: list[x509.GeneralName], passphrase: str | None
) -> None:
    """Where there is none that fits and lasts."""
    if _lasts(out / "broker.pem", wanted):
        return
    authority, key = LocalAuthority(fleet.folder, passphrase), new_key()
    with fleet.change() as note:
        life = fleet.settings.days.of("broker")
        issued = authority.issue(names[0], key.public_key(), life, wanted)
        note("broker", names=list(names), certificate=issued.serial)
        write_durably(out / "broker.key", key_pem(key), 0o600)
        write_durably(out / "broker.pem", issued.pem.encode(), 0o644)


def write_rules(fleet: Fleet, passphrase: str | None) -> Path | None:
    """Rules and revocation list anew, where `write_broker` wrote them: that folder. None before that."""
    out = fleet.store.broker_files
    if out is None:
        return None
    users = [(name, role) for name, role, state in fleet.store.users() if state == "active"]
    text = rules(fleet.settings.sites, users, fleet.locked_out())
    written = {"acl": text.encode()}
    if fleet.signs_here:
        revoked = [one for one in fleet.store.certificates() if one.revoked is not None]
        written["crl.pem"] = LocalAuthority(fleet.folder, passphrase).revocation_list(revoked)
    for name, data in written.items():
        write_durably(out / name, data, 0o644)
    return out


def reload(pid_file: Path) -> None:
    """Makes a running mosquitto read certificates, revocation list and rules again. Raises `FleetError`."""
    try:
        pid = int(pid_file.read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        raise FleetError(f"{pid_file}: names no running process; reload the broker by hand") from None
    if name != "mosquitto":
        raise FleetError(f"{pid_file}: process {pid} is {name}, not mosquitto; reload the broker by hand")
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise FleetError(f"mosquitto (process {pid}) cannot be told to reload: {error.strerror}") from None


def _lasts(file: Path, wanted: list[x509.GeneralName]) -> bool:
    """Whether it is there with its key, under these names, and has a third of its life before it."""
    if not file.exists() or not file.with_suffix(".key").exists():
        return False
    certificate = read_certificates(read_file(file), file)[0]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    late = certificate.not_valid_after_utc - datetime.now(UTC) < max(life / 3, timedelta(0))
    return not late and set(alternative_names(certificate) or ()) == set(wanted)


def _general_name(name: str) -> x509.GeneralName:
    if not re.fullmatch(r"[!-~]{1,253}", name):
        raise FleetError(f"--name {name!r}: is neither a host name nor an address")
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _account(user: str | None) -> tuple[int, int] | None:
    if user is None or os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise FleetError(f"--user {user}: there is no such user on this machine") from None
    return entry.pw_uid, entry.pw_gid
