"""Enrolment over Secure Transport (RFC 7030), the client's side: ask for the authority, a certificate, a new one.

What of it is not used: server-made keys (4.4), full CMC (4.3), CSR attributes (4.5), and the link between request and
TLS session (3.5), which TLS 1.3 has no value for.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from appliance.enrolment.hospital_file import EstServer
from appliance.errors import EnrolmentError
from appliance.hospital.certificates import public_key_of, same_key
from appliance.printable import printable

TIMEOUT_S = 20.0
LARGEST_ANSWER = 1 << 20
"""Bytes; a chain of certificates has a few thousand."""
LATER_S = 60.0
"""Until the next question, where the server does not say."""


class LaterError(EnrolmentError):
    """The server will decide later, as where a person has to agree (RFC 7030, 4.2.3)."""

    def __init__(self, text: str, retry_s: float) -> None:
        super().__init__(text)
        self.retry_s = retry_s


@dataclass(frozen=True, slots=True)
class ClientPair:
    """PEM files of the certificate in force, which is what a server knows a box by when it renews."""

    certificate: Path
    key: Path


class EstClient:
    """One server; every call is a connection of its own. TLS 1.2 or later, the server checked against `ca` alone.

    `proxy`: host and port of an HTTP proxy that allows `CONNECT`. Everything raises `EnrolmentError`.
    """

    def __init__(
        self, server: EstServer, ca: str, proxy: tuple[str, int] | None = None, pair: ClientPair | None = None
    ) -> None:
        self._server = server
        self._proxy = proxy
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._context.load_verify_locations(cadata=ca)
            if pair is not None:
                self._context.load_cert_chain(pair.certificate, pair.key, password="")
        except (OSError, ValueError) as error:
            raise EnrolmentError(f"the box's certificate cannot be used for {self}: {error}") from None

    def __str__(self) -> str:
        return f"the EST server {self._server.host}:{self._server.port}"

    def authorities(self) -> list[x509.Certificate]:
        """The hospital's present authorities (4.1)."""
        return certificates_in(self._ask("GET", "cacerts", None, {}))

    def enrol(self, request: x509.CertificateSigningRequest, box: str, code: str) -> list[x509.Certificate]:
        """The first certificate and its chain, for a one-time code (4.2.1, by HTTP Basic: 3.2.3)."""
        known = base64.b64encode(f"{box}:{code}".encode()).decode()
        return self._request("simpleenroll", request, {"Authorization": f"Basic {known}"})

    def enrol_again(self, request: x509.CertificateSigningRequest) -> list[x509.Certificate]:
        """A new certificate and its chain, known by the present one (4.2.2)."""
        return self._request("simplereenroll", request, {})

    def _request(
        self, operation: str, request: x509.CertificateSigningRequest, headers: dict[str, str]
    ) -> list[x509.Certificate]:
        body = base64.encodebytes(request.public_bytes(Encoding.DER))
        headers |= {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}
        came = certificates_in(self._ask("POST", operation, body, headers))
        ours = [one for one in came if same_key(public_key_of(one, f"{self}: a certificate"), request.public_key())]
        if not ours:
            raise EnrolmentError(f"{self} answered with a certificate for another key")
        return [ours[0], *(one for one in came if one is not ours[0])]

    def _ask(self, method: str, operation: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        where = (self._server.host, self._server.port)
        line = http.client.HTTPSConnection(*(self._proxy or where), timeout=TIMEOUT_S, context=self._context)
        if self._proxy is not None:
            line.set_tunnel(*where)
        label = f"{self._server.label}/" if self._server.label else ""
        try:
            line.request(method, f"/.well-known/est/{label}{operation}", body, headers)
            response = line.getresponse()
            answer = response.read(LARGEST_ANSWER)
        except ssl.SSLCertVerificationError as error:
            raise EnrolmentError(f"{self}: its certificate is refused: {error.verify_message}") from None
        except (OSError, http.client.HTTPException, UnicodeError) as error:  # of a name that none can be
            through = f" through the proxy {self._proxy[0]}:{self._proxy[1]}" if self._proxy else ""
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise EnrolmentError(f"{self} cannot be reached{through}: {said}") from None
        finally:
            line.close()
        self._check(response, answer)
        return answer

    def _check(self, response: http.client.HTTPResponse, answer: bytes) -> None:
        kind = response.headers.get_content_type()
        if response.status == 202:
            raise LaterError(f"{self} has not decided yet", _retry_s(response.getheader("Retry-After")))
        if response.status != 200:
            said = answer[:200].decode("utf-8", "replace") if kind == "text/plain" else response.reason
            why = {401: "does not accept the one-time code or certificate", 404: "knows no such authority"}
            line = printable(said, " ").strip()
            raise EnrolmentError(f"{self} {why.get(response.status, 'refuses')}: {response.status} {line}")
        if kind != "application/pkcs7-mime":
            raise EnrolmentError(f"{self} answered with {kind}, not with certificates; is it one?")


def _retry_s(header: str | None) -> float:
    """Whole seconds, or a date (RFC 9110, 10.2.3)."""
    if header and header.isdecimal():
        return max(float(header), 1.0)
    try:
        return max((parsedate_to_datetime(header or "") - datetime.now(UTC)).total_seconds(), 1.0)
    except (ValueError, TypeError):
        return LATER_S


def certificates_in(answer: bytes) -> list[x509.Certificate]:
    """Of a certs-only CMS message in base64 (4.1.3)."""
    try:
        return load_der_pkcs7_certificates(base64.b64decode(answer, validate=False))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise EnrolmentError("the EST server's answer holds no certificates (certs-only PKCS#7 in base64)") from None
