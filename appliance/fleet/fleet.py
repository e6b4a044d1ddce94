"""The fleet: every change is one transaction with its line in the audit log, by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from cryptography.hazmat.primitives.asymmetric import ec

from appliance.enrolment.hospital_file import Broker, Enrolment, Hospital
from appliance.errors import FleetError
from appliance.fleet.audit import AuditLog
from appliance.fleet.authority import LocalAuthority
from appliance.fleet.boxes import Box, checked
from appliance.fleet.requests import key_of, requested
from appliance.fleet.settings import read_fleet_settings
from appliance.fleet.store import Issued, State, Store
from appliance.fleet.transaction import locked, transaction
from appliance.hospital.broker_files import roles
from appliance.hospital.certificates import read_file, same_key

SOON = timedelta(days=60)
"""A certificate that ends sooner is listed as ending."""

Condition = Literal["waiting", "let in", "enrolled", "ending", "expired", "revoked", "retired"]


@dataclass(frozen=True, slots=True)
class Added:
    """How many of a list's boxes were new, changed, the same, and left alone because they are retired."""

    added: int = 0
    changed: int = 0
    same: int = 0
    retired: int = 0


class Fleet:
    """A context manager; within it no other process changes the fleet. Raises `FleetError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = read_fleet_settings(folder / "fleet.toml")
        self.audit = AuditLog(folder / "audit.jsonl")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder))
            self.store = Store(self.folder / "fleet.sqlite")
            stack.callback(self.store.db.close)
            self._open = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @contextmanager
    def change(self) -> Iterator[Callable[..., None]]:
        """A transaction; yields what notes an entry of the audit log. An error inside leaves everything as it was."""
        entries: list[Mapping[str, object]] = []
        with transaction(self.store):
            yield lambda what, **fields: entries.append({"what": what, **fields})
            if entries:
                self.audit.take_back(self.store.head)
                self.store.head = self.audit.append(self.store.head, entries)

    def add(self, boxes: Iterable[Box], dry_run: bool = False, tick: Callable[[], None] = lambda: None) -> Added:
        """All or none. With `dry_run` nothing is changed."""
        counts = dict.fromkeys(("added", "changed", "same", "retired"), 0)
        users = {name for name, _, _ in self.store.users()}
        with self.change() as note:
            for box in boxes:
                tick()
                checked(box, self.settings.sites)
                if box.box in users:
                    raise FleetError(f"{box.box}: is the name of a person or system")
                known = self.store.box(box.box)
                outcome = _outcome(known, box)
                counts[outcome] += 1
                if outcome in ("added", "changed") and not dry_run:
                    self.store.put_box(box)
                    note("add" if outcome == "added" else "change", box=box.box, site=box.site, serial=box.serial)
        return Added(**counts)

    def sign(self, request: bytes, whence: object, passphrase: str | None, again: bool = False) -> Enrolment:
        """A box's certificate. The same request again gives the same one; another key's needs `again`."""
        box, key = requested(request, whence)
        site = self._site_of(box, whence, again)
        with self.change() as note:
            valid = [one for one in self.store.certificates(box) if one.valid]
            same = next((one for one in valid if same_key(key_of(one), key)), None)
            if same is None:
                if valid and not again:
                    raise FleetError(
                        f"{whence}: {box} has a certificate until {valid[-1].expires:%Y-%m-%d} for another key;"
                        " --again signs a second one, rehabbox fleet revoke takes the first one back"
                    )
                same = LocalAuthority(self.folder, passphrase).issue(box, key, self.settings.days.of("box"))
                self.store.put_certificate(same)
                self.store.set_state(box, "active")
                note("sign", box=box, certificate=same.serial, until=same.expires.isoformat(timespec="seconds"))
        return Enrolment(box=box, certificate=same.pem, hospital=self.hospital(site))

    @property
    def signs_here(self) -> bool:
        """With a local authority; else the hospital's own signs, and what it issued is not known here."""
        return (self.folder / "ca.key").exists()

    def user(self, name: str, role: str, key: ec.EllipticCurvePublicKey, passphrase: str | None) -> Issued | None:
        """Lets a person or a system in: its certificate, or None where the hospital's own authority signs."""
        checked(Box(name, self.settings.sites[0]), self.settings.sites)
        if role not in roles():
            raise FleetError(f"{role}: is no role; there are {', '.join(roles())}")
        if self.store.box(name) is not None:
            raise FleetError(f"{name}: is the name of a box")
        if (name, "retired") in {(known, state) for known, _, state in self.store.users()}:
            raise FleetError(f"{name}: is retired for good; take another name")
        with self.change() as note:
            issued = None
            self.store.put_user(name, role)
            if self.signs_here:
                issued = LocalAuthority(self.folder, passphrase).issue(name, key, self.settings.days.of("user"))
                self.store.put_certificate(issued)
            note("user", user=name, role=role, certificate=issued and issued.serial)
        return issued

    def set_state(self, name: str, state: State, reason: str) -> list[Issued]:
        """Of a box or user. Its certificates are taken back unless it becomes active; returns those."""
        before = self._state_of(name)
        if before == "retired" and state != "retired":
            raise FleetError(f"{name}: is retired for good; take another name")
        with self.change() as note:
            taken = [one for one in self.store.certificates(name) if one.valid and state != "active"]
            at = datetime.now(UTC)
            for one in taken:
                self.store.revoke(one.serial, at, reason)
            self.store.set_state(name, state)
            if taken or before != state:
                what = {"active": "admit", "revoked": "revoke", "retired": "retire"}[state]
                note(what, name=name, reason=reason, certificates=[one.serial for one in taken])
        return taken

    def hospital(self, site: str) -> Hospital:
        """What the boxes of a site are told."""
        if site not in self.settings.sites:
            raise FleetError(f"{site}: is none of the sites {', '.join(self.settings.sites)}")
        key = self.folder / "reference-key.pem"
        return Hospital(
            site=site,
            broker=Broker(host=self.settings.broker.host, port=self.settings.broker.port),
            ca=read_file(self.folder / "ca.pem").decode(),
            reference_key=read_file(key).decode() if key.exists() else None,
            est=self.settings.est,
        )

    def condition(self, name: str, state: State) -> tuple[Condition, Issued | None]:
        """How a box or user stands, and its newest certificate that is known here."""
        issued = self.store.certificates(name)
        newest = issued[-1] if issued else None
        if state != "active":
            return state, newest
        if newest is None or newest.revoked is not None:
            return "waiting" if self.signs_here else "let in", newest
        left = newest.expires - datetime.now(UTC)
        return ("expired" if left < timedelta(0) else "ending" if left < SOON else "enrolled"), newest

    def locked_out(self) -> list[str]:
        """Names that may do nothing at the broker."""
        boxes = [box.box for box, state in self.store.boxes() if state != "active"]
        return boxes + [name for name, _, state in self.store.users() if state != "active"]

    def _state_of(self, name: str) -> State:
        known = self.store.box(name)
        if known is not None:
            return known[1]
        for user, _, state in self.store.users():
            if user == name:
                return state
        raise FleetError(f"{name}: is neither a box nor a user of this fleet; see rehabbox fleet list")

    def _site_of(self, box: str, whence: object, again: bool) -> str:
        known = self.store.box(box)
        if known is None:
            raise FleetError(f"{whence}: {box!r} is not in the list; add it first (rehabbox fleet add)")
        if known[1] == "retired":
            raise FleetError(f"{whence}: {box} is retired; give the box another id")
        if known[1] == "revoked" and not again:
            raise FleetError(f"{whence}: {box} was revoked; --again lets it in once more")
        return known[0].site


def _outcome(known: tuple[Box, State] | None, box: Box) -> str:
    if known is None:
        return "added"
    if known[1] == "retired":
        return "retired"
    return "same" if known[0] == box else "changed"
