"""Certificate requests (PKCS#10) as they come from boxes and systems."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import FleetError
from appliance.fleet.store import Issued
from appliance.hospital.certificates import common_name


def requested(pem: bytes, whence: object) -> tuple[str, ec.EllipticCurvePublicKey]:
    """The name and key of a request that was signed by that key. Raises `FleetError`; `whence` is named in it."""
    try:
        request = x509.load_pem_x509_csr(pem)
        key, signed_by_it = request.public_key(), request.is_signature_valid
    except ValueError:
        raise FleetError(f"{whence}: is not a PEM certificate request") from None
    except UnsupportedAlgorithm:
        raise FleetError(f"{whence}: its key or signature is of a kind not known here; make an EC P-256 key") from None
    if not signed_by_it:
        raise FleetError(f"{whence}: its signature is wrong; request it again")
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.key_size < 256:
        raise FleetError(f"{whence}: its key is not an EC key of 256 bits or more")
    return common_name(request.subject), key


def key_of(issued: Issued) -> object:
    """A certificate's public key."""
    return x509.load_pem_x509_certificate(issued.pem.encode()).public_key()
