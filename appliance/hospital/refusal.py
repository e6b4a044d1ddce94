"""Why a broker does not let the box in, in words: from the TLS alert it sends, and from the box's own certificate."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime

from cryptography import x509

from appliance.hospital.proxy import connect, reason_of
from appliance.hospital.settings import BrokerSettings

PROBE_S = 1.0
"""For the line, and for the broker's alert, which comes with its answer to the certificate."""

_ALERTS = {
    "CERTIFICATE_REVOKED": "the broker refuses the box's certificate: it is revoked",
    "CERTIFICATE_EXPIRED": "the broker refuses the box's certificate: it has expired",
    "CERTIFICATE_REQUIRED": "the broker wants a certificate, and the box showed none",
    "UNKNOWN_CA": "the broker refuses the box's certificate: another authority signed it",
    "BAD_CERTIFICATE": "the broker refuses the box's certificate",
    "CERTIFICATE_UNKNOWN": "the broker refuses the box's certificate",
    "UNSUPPORTED_CERTIFICATE": "the broker refuses the box's certificate: it is not for a client",
}
"""OpenSSL's names of the alerts of RFC 8446, 6.2."""


def knock(settings: BrokerSettings, tls: ssl.SSLContext) -> None:
    """A TLS handshake and nothing after it: what is sent makes the line break before the broker's alert is read.

    The broker knows a box by its certificate alone, so one that says nothing against that lets it in. Raises
    `ConnectionError` with the reason where it does not, or cannot be reached.
    """
    try:
        with connect(settings, PROBE_S) as line, tls.wrap_socket(line, server_hostname=settings.host) as tunnel:
            tunnel.settimeout(PROBE_S)
            if _said(tunnel) == b"":
                raise ConnectionError("the broker ends the connection")
    except ssl.SSLCertVerificationError as error:
        raise ConnectionError(f"the broker's certificate is refused: {error.verify_message}") from None
    except ssl.SSLError as error:
        reason = error.reason or ""
        said = next((text for alert, text in _ALERTS.items() if reason.endswith(f"ALERT_{alert}")), None)
        raise ConnectionError(said or f"the broker does not speak TLS 1.3 with the box: {reason or error}") from None
    except OSError as error:
        raise ConnectionError(reason_of(error)) from None


def _said(tunnel: ssl.SSLSocket) -> bytes | None:
    """None: nothing, for as long as we listened."""
    try:
        return tunnel.recv(1)
    except TimeoutError:
        return None


def out_of_date(settings: BrokerSettings) -> str | None:
    """What the box itself sees in its certificate, by its own clock."""
    with suppress(OSError, ValueError):
        certificate = x509.load_pem_x509_certificate(settings.certificate.read_bytes())
        now = datetime.now(UTC)
        if now > certificate.not_valid_after_utc:
            return f"the box's certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        if now < certificate.not_valid_before_utc:
            begin = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
            return f"by the box's clock ({now:%Y-%m-%d %H:%M} UTC) its certificate is not valid before {begin}"
    return None
