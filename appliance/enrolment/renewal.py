"""Renews the box's certificate by itself, at two thirds of its life, and says so where it cannot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random, SystemRandom

from cryptography import x509

from appliance.enrolment.est import TIMEOUT_S
from appliance.enrolment.identity import Current, Identity
from appliance.enrolment.online import renew_online
from appliance.errors import EnrolmentError
from appliance.watchdog import WATCHDOG, Alive

DUE = 2 / 3
"""Of the certificate's life."""
DUE_BY_HAND = 11 / 12
"""Where there is no server to renew at, somebody is called for at this part of its life: of two years, two months."""
SPREAD = 1 / 24
"""Of its life, later, so that boxes enrolled on one day do not come back on one day."""
LOOK_S = 3600.0
"""Between two looks at the clock, which may have been set."""
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 6 * 3600.0
ANSWERS_S = 3 * TIMEOUT_S
"""For a renewal's questions to the server, one after another."""
REMEDY = "Check that it reaches the enrolment server and is not revoked there; without one: rehabbox fleet renew."

_log = logging.getLogger(__name__)


def due_at(current: Current) -> datetime:
    """When to renew its certificate: the same for one certificate, however often it is asked."""
    certificate = current.certificate
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    share = DUE_BY_HAND if current.enrolment.hospital.est is None else DUE
    share += Random(certificate.serial_number).uniform(0, SPREAD)  # noqa: S311  spreads, hides nothing
    return begin + share * (end - begin)


class Renewal:
    """A thread from `start` to `stop`.

    `renewed` is called after a new pair is in force; `alert` with what is wrong, or None when nothing is. Both are
    called in this thread, or in that of whoever calls `renew`.
    """

    def __init__(self, identity: Identity, renewed: Callable[[], None], alert: Callable[[str | None], None]) -> None:
        self._identity = identity
        self._renewed, self._alert = renewed, alert
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="certificate-renewal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits no longer than for a question to the server that is under way."""
        self._stopping.set()
        self._thread.join()

    def renew(self) -> x509.Certificate:
        """Now, due or not: the new certificate. Raises `EnrolmentError`; the old pair then stays in force."""
        with self._one_at_a_time:
            return self._in_force(renew_online(self._identity))

    @property
    def online(self) -> bool:
        """Whether there is an EST server to renew at; else the hospital is handed a `request`."""
        return self._identity.current().enrolment.hospital.est is not None

    def request(self) -> str:
        """A request (PEM) for a new key, to be signed at the hospital. Raises `EnrolmentError`."""
        return self._identity.request(self._identity.current().enrolment.box).decode()

    def install(self, certificate: str) -> x509.Certificate:
        """Puts the hospital's answer to `request` in force. Raises `EnrolmentError`; the old pair then stays so."""
        with self._one_at_a_time:
            return self._in_force(self._identity.answer(certificate))

    def _in_force(self, current: Current) -> x509.Certificate:
        _log.info("the certificate was renewed; valid until %s", _day(current))
        self._alert(None)
        self._renewed()
        return current.certificate

    def _run(self) -> None:
        with WATCHDOG.watched("certificate-renewal") as alive:
            self._look_again_and_again(alive)

    def _look_again_and_again(self, alive: Alive) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                wait_s = self._look()
                failures = 0
            except EnrolmentError as error:
                self._alert(self._trouble(error))
                _log.warning("the certificate is not renewed: %s", error)
                longest = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 20))
                wait_s = SystemRandom().uniform(longest / 2, longest)
                failures += 1
            alive(wait_s)
            self._stopping.wait(wait_s)
            alive(ANSWERS_S)

    def _look(self) -> float:
        """Renews what is due; returns the seconds until the next look."""
        left = due_at(self._identity.current()) - datetime.now(UTC)
        if left <= timedelta(0):
            self.renew()
            left = due_at(self._identity.current()) - datetime.now(UTC)
            if left <= timedelta(0):
                raise EnrolmentError("the server's new one is due again at once; check its life and the box's clock")
        return min(max(left.total_seconds(), 1.0), LOOK_S)

    def _trouble(self, error: EnrolmentError) -> str:
        try:
            until = f"is valid until {_day(self._identity.current())} and was not renewed"
        except EnrolmentError:
            until = "cannot be renewed"
        return f"The box's certificate {until}: {error}."


def renewal_of(folder: Path, renewed: Callable[[], None], alert: Callable[[str | None], None]) -> Renewal | None:
    """None for a box whose certificate was put there by hand, in its settings."""
    identity = Identity(folder)
    return Renewal(identity, renewed, alert) if identity.exists else None


def _day(current: Current) -> str:
    return f"{current.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
