"""Why a broker does not let the box in, in words: from the TLS alert it sends, and from the box's own certificate."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime

from cryptography import x509

from appliance.hospital.proxy import connect
from appliance.hospital.settings import BrokerSettings

PROBE_S = 2.0

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


def why_refused(settings: BrokerSettings, tls: ssl.SSLContext) -> str | None:
    """Asks once more without sending anything: what was sent before makes the line break before the alert is read.

    None where the broker, by TLS at least, has nothing against the box.
    """
    try:
        with connect(settings, PROBE_S) as line, tls.wrap_socket(line, server_hostname=settings.host) as tunnel:
            tunnel.settimeout(PROBE_S)
            tunnel.recv(1)
    except TimeoutError:
        return None
    except ssl.SSLError as error:
        reason = error.reason or ""
        return next((text for alert, text in _ALERTS.items() if reason.endswith(f"ALERT_{alert}")), None)
    except OSError:
        return None
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
