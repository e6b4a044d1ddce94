"""Renews the box's certificate by itself, at two thirds of its life, and says so where it cannot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom

from cryptography import x509

from appliance.enrolment.identity import Identity
from appliance.enrolment.online import renew_online
from appliance.errors import EnrolmentError

DUE = 2 / 3
"""Of the certificate's life."""
SPREAD = 1 / 24
"""Of its life, later, so that boxes enrolled on one day do not come back on one day."""
LOOK_S = 3600.0
"""Between two looks at the clock, which may have been set."""
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 6 * 3600.0
REMEDY = "Check that the box reaches the enrolment server and is not revoked there; else enrol it again by hand."

_log = logging.getLogger(__name__)


def due_at(certificate: x509.Certificate) -> datetime:
    """When to renew it: the same for one certificate, however often it is asked."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    share = DUE + Random(certificate.serial_number).uniform(0, SPREAD)  # noqa: S311  spreads, hides nothing
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
            certificate = renew_online(self._identity).certificate
        _log.info("the certificate was renewed; valid until %s", _day(certificate))
        self._alert(None)
        self._renewed()
        return certificate

    def _run(self) -> None:
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
            self._stopping.wait(wait_s)

    def _look(self) -> float:
        """Renews what is due; returns the seconds until the next look."""
        certificate = self._identity.current().certificate
        left = due_at(certificate) - datetime.now(UTC)
        if left <= timedelta(0):
            left = due_at(self.renew()) - datetime.now(UTC)
        return min(max(left.total_seconds(), 1.0), LOOK_S)

    def _trouble(self, error: EnrolmentError) -> str:
        try:
            until = f"is valid until {_day(self._identity.current().certificate)} and was not renewed"
        except EnrolmentError:
            until = "cannot be renewed"
        return f"The box's certificate {until}: {error}."


def _day(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
