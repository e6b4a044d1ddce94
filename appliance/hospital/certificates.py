"""X.509 as box and hospital use it: keys, requests, certificates, each checked before anybody relies on it.

Keys are EC P-256. A box's, a broker's or a person's name is the certificate's common name and nothing else in the
subject, since that is what the broker takes as user name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import EnrolmentError

CLOCK_SLACK = timedelta(minutes=5)
"""A certificate is valid from a little earlier than it was made: clocks differ."""

LONGEST_NAME = 64
"""Characters of a common name (RFC 5280). A box's and a person's fit; others are cut."""

PublicKey = ec.EllipticCurvePublicKey


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS#8 without passphrase: the file's mode protects it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(pem: bytes, whence: object) -> ec.EllipticCurvePrivateKey:
    """Raises `EnrolmentError`; `whence` is named in it."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise EnrolmentError(f"{whence}: is not a PEM key without passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolmentError(f"{whence}: is not an EC key")
    return key


def public_key_of(certificate: x509.Certificate, whence: object) -> object:
    """Raises `EnrolmentError` where its kind is not known here; `whence` is named in it."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise EnrolmentError(f"{whence}: has a key of a kind not known here; it must be for this box's key") from None


def same_key(one: object, other: object) -> bool:
    """Of two public keys, of whatever kind."""
    return _spki(one) == _spki(other)


def _spki(key: object) -> bytes:
    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return der


def subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def common_name(name: x509.Name) -> str:
    """The one common name; empty where there is none, or several, or anything beside it that is one too."""
    names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def make_request(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, alternative: x509.SubjectAlternativeName | None = None
) -> x509.CertificateSigningRequest:
    """A PKCS#10 request, signed by the key it is for."""
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    if alternative is not None:
        request = request.add_extension(alternative, critical=False)
    return request.sign(key, SHA256())


def request_like(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
    """For a new key under the same names, as re-enrolment demands (RFC 7030, 4.2.2)."""
    return make_request(certificate.subject, key, alternative_names(certificate))


def alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def read_certificates(pem: bytes, whence: object) -> list[x509.Certificate]:
    """At least one, in the file's order. Raises `EnrolmentError`; `whence` is named in it."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise EnrolmentError(f"{whence}: holds no PEM certificate") from None


def read_file(file: Path) -> bytes:
    """Raises `EnrolmentError`."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnrolmentError(f"{file}: cannot be read: {error.strerror}") from None


def pem_of(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, in pairs of digits, as people compare it."""
    digest = Hash(SHA256())
    digest.update(certificate.public_bytes(Encoding.DER))
    return digest.finalize().hex(":").upper()


def check_box_certificate(
    chain: list[x509.Certificate], ca: list[x509.Certificate], box: str, key: ec.EllipticCurvePrivateKey
) -> None:
    """Whether a box can use this: its name, its key, a client's, valid now, signed by the authority.

    `chain` is the certificate and those between it and `ca`. Raises `EnrolmentError` with the first fault.
    """
    leaf = chain[0]
    held = common_name(leaf.subject)
    if held != box:
        raise EnrolmentError(f"the certificate was issued to {held or 'nobody'}, not to {box}")
    if not same_key(public_key_of(leaf, f"the certificate of {box}"), key.public_key()):
        raise EnrolmentError(f"the certificate of {box} was issued for another key than this box's; request it again")
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usages = None
    if usages is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
        raise EnrolmentError(f"the certificate of {box} is not for a client (extended key usage)")
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        span = f"{leaf.not_valid_before_utc:%Y-%m-%d %H:%M} to {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        raise EnrolmentError(f"the certificate of {box} is valid from {span}; check the box's clock")
    _check_signatures(chain, ca)


def _check_signatures(chain: list[x509.Certificate], ca: list[x509.Certificate]) -> None:
    child, *between = chain
    while not any(issued_by(child, one) for one in ca):
        above = next((one for one in between if issued_by(child, one)), None)
        if above is None:
            raise EnrolmentError(
                f"the certificate of {common_name(chain[0].subject)} was not signed by the hospital's authority "
                f"({', '.join(common_name(one.subject) or one.subject.rfc4514_string() for one in ca)})"
            )
        between.remove(above)
        child = above


def issued_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def builder(
    name: str, public_key: PublicKey, issuer: x509.Name, issuer_key: PublicKey, life: timedelta
) -> x509.CertificateBuilder:
    """What every certificate here has; extensions that say what it is for are the caller's."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject(name))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def authority_certificate(name: str, key: ec.EllipticCurvePrivateKey, life: timedelta) -> x509.Certificate:
    """A self-signed root that signs end entities only. The name is cut where it is too long."""
    name = name[:LONGEST_NAME]
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    public = key.public_key()
    return (
        builder(name, public, subject(name), public, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )


def end_certificate(
    name: str,
    public_key: PublicKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    life: timedelta,
    server_names: list[x509.GeneralName] | None = None,
) -> x509.Certificate:
    """A client's, or with `server_names` a server's, whose common name is cut where it is too long.

    It does not outlive its authority.
    """
    if server_names is not None:
        name = name[:LONGEST_NAME]
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if server_names is None else ExtendedKeyUsageOID.SERVER_AUTH
    life = min(life, authority.not_valid_after_utc - datetime.now(UTC))
    built = (
        builder(name, public_key, authority.subject, authority_key.public_key(), life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    if server_names:
        built = built.add_extension(x509.SubjectAlternativeName(server_names), critical=False)
    return built.sign(authority_key, SHA256())
