"""What a command hands on to other parts of the box, where they are there: a renewer of certificates, an updater.

A box's own updater is `appliance.update`. Another is installed beside this software and names itself by an entry point:

    [project.entry-points."rehabbox.hooks"]
    updater = "acme.updater:AcmeUpdater"
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from typing import Protocol
from uuid import UUID

from cryptography import x509

from appliance.settings import Settings
from appliance.update.wish import UpdateOutcome, UpdaterAsked

_log = logging.getLogger(__name__)

GROUP = "rehabbox.hooks"


class CertificateRenewal(Protocol):
    """Serves `command/rotate-certificate`."""

    @property
    def online(self) -> bool:
        """Whether there is a server to renew at; else the hospital signs a request that it is sent."""

    def renew(self) -> x509.Certificate:
        """Renews the box's certificate now, with a new key: the new one. Raises `RehabBoxError`."""

    def request(self) -> str:
        """A request (PEM) for a new key, which `install` waits for. Raises `RehabBoxError`."""

    def install(self, certificate: str) -> x509.Certificate:
        """Puts the answer (PEM) to the request in force: the new one. Raises `RehabBoxError`."""


class Updater(Protocol):
    """Serves `command/update`. An entry point names a callable that makes one from the `Settings`."""

    def update(self, version: str, command: UUID, expires: datetime) -> str:
        """Installs that version as soon as it can, and does not begin after `expires`; says in words what will happen.

        Raises `RehabBoxError`, `OSError`.
        """

    def outcome(self, command: UUID) -> UpdateOutcome | None:
        """What came of what that command began, also after restarts; None while it is not known."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """None: this box has no such part, and the command is answered `unsupported`."""

    renewal: CertificateRenewal | None = None
    updater: Updater | None = None


def installed_updater(settings: Settings) -> Updater | None:
    """Another's, else that of the Debian package. One that cannot be loaded is logged and counts as not there."""
    for point in entry_points(group=GROUP, name="updater"):
        try:
            updater: Updater = point.load()(settings)
            return updater
        except Exception:  # noqa: BLE001  somebody else's code, whatever it raises, must not keep the box from working
            _log.exception("the updater %s cannot be loaded", point.value)
    ours = UpdaterAsked()
    return ours if ours.there else None
