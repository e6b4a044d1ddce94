"""An EST server for the tests, written from RFC 7030; it is not a product and was not tried with other clients.

`/cacerts`, `/simpleenroll` (HTTP Basic with a one-time code) and `/simplereenroll` (the present certificate by TLS, and
a request for the same subject), over TLS with an optional client certificate.
"""

from __future__ import annotations

import base64
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from appliance.hospital.certificates import authority_certificate, end_certificate, key_pem, new_key, pem_of


class EstTestServer:
    """A context manager; listens on 127.0.0.1 and signs with an authority of its own, for `life`."""

    def __init__(self, folder: Path, life: timedelta = timedelta(days=30)) -> None:
        self.life = life
        self.codes: dict[str, str] = {}
        """Box to one-time code."""
        self.late = 0
        """So many requests are answered 202 first."""
        self.refuse: str | None = None
        """Every request for a certificate is answered 403 with this."""
        self.asked: list[str] = []
        self._key = new_key()
        self.authority = authority_certificate("EST test authority", self._key, timedelta(days=365))
        self.ca = pem_of([self.authority]).decode()
        folder.mkdir(parents=True, exist_ok=True)
        key, (certificate_file, key_file) = new_key(), (folder / "est.pem", folder / "est.key")
        names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        key_file.write_bytes(key_pem(key))
        certificate_file.write_bytes(pem_of([self._sign("localhost", key.public_key(), timedelta(days=1), names)]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate_file, key_file)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.ca)
        server = self

        class Handler(_Handler):
            est = server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> EstTestServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sign(self, request: x509.CertificateSigningRequest) -> x509.Certificate:
        (name,) = (str(one.value) for one in request.subject)
        return self._sign(name, request.public_key(), self.life)

    def _sign(
        self, name: str, key: object, life: timedelta, names: list[x509.GeneralName] | None = None
    ) -> x509.Certificate:
        return end_certificate(name, key, self.authority, self._key, life, names)


class _Handler(BaseHTTPRequestHandler):
    est: EstTestServer

    def do_GET(self) -> None:
        self.est.asked.append(self.path)
        if self.path != "/.well-known/est/cacerts":
            self._plain(404, "no such operation")
            return
        self._certificates([self.est.authority])

    def do_POST(self) -> None:
        self.est.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/pkcs10":
            self._plain(415, "application/pkcs10 is wanted")
            return
        request = x509.load_der_x509_csr(base64.b64decode(body))
        known = {
            "/.well-known/est/simpleenroll": self._knows_the_code,
            "/.well-known/est/simplereenroll": self._knows_the_certificate,
        }.get(self.path)
        if known is None:
            self._plain(404, "no such operation")
        elif not request.is_signature_valid:
            self._plain(400, "the request's signature is wrong")
        elif not known(request):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="est"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.est.refuse is not None:
            self._plain(403, self.est.refuse)
        elif self.est.late > 0:
            self.est.late -= 1
            self.send_response(202)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.est.codes = {}
            self._certificates([self.est.sign(request)])

    def _knows_the_code(self, request: x509.CertificateSigningRequest) -> bool:
        said = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        (box,) = (str(one.value) for one in request.subject)
        return said == f"{box}:{self.est.codes.get(box)}"

    def _knows_the_certificate(self, request: x509.CertificateSigningRequest) -> bool:
        assert isinstance(self.connection, ssl.SSLSocket)
        shown = self.connection.getpeercert(binary_form=True)
        if shown is None:
            return False
        present = x509.load_der_x509_certificate(shown)
        new = present.public_key() != request.public_key()
        return new and present.subject == request.subject and present.not_valid_after_utc > datetime.now(UTC)

    def _certificates(self, certificates: list[x509.Certificate]) -> None:
        body = base64.encodebytes(serialize_certificates(certificates, Encoding.DER))
        self.send_response(200)
        self.send_header("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
        self.send_header("Content-Transfer-Encoding", "base64")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _plain(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass
