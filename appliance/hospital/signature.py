"""The hospital's signature under a reference: Ed25519 (RFC 8032) over a short text that names what is signed.

The text begins with what it is, so that a signature for something else is none for this. The box holds the public
key only, in a PEM file that enrolment wrote; a second key in that file serves while the hospital changes its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from appliance.errors import SettingsError

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


def digest_of_bytes(content: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def statement(exercise: str, issued: datetime, takes: Sequence[bytes]) -> bytes:
    """What is signed: lines of ASCII, each ended by a newline."""
    lines = ["rehabbox reference 1", f"exercise {exercise}", f"issued {issued.astimezone(UTC).isoformat()}"]
    return "\n".join([*lines, *(f"take {digest_of_bytes(take)}" for take in takes), ""]).encode("ascii")


def sign(key: Ed25519PrivateKey, text: bytes) -> str:
    """64 bytes in base64."""
    return base64.b64encode(key.sign(text)).decode("ascii")


def is_signed(keys: Sequence[Ed25519PublicKey], text: bytes, signature: str) -> bool:
    """Whether one of the keys made it."""
    made = base64.b64decode(signature)
    for key in keys:
        try:
            key.verify(made, text)
        except InvalidSignature:
            continue
        return True
    return False


def load_public_keys(file: Path) -> tuple[Ed25519PublicKey, ...]:
    """One or more, in PEM. Raises `SettingsError`."""
    try:
        found = [load_pem_public_key(block) for block in _PEM.findall(file.read_bytes())]
    except OSError as error:
        raise SettingsError(f"session.reference_key: cannot read {file}: {error.strerror}") from None
    except ValueError:
        raise SettingsError(f"session.reference_key: {file} holds a damaged public key") from None
    keys = tuple(key for key in found if isinstance(key, Ed25519PublicKey))
    if not keys or len(keys) < len(found):
        raise SettingsError(f"session.reference_key: {file} must hold Ed25519 public keys in PEM, and nothing else")
    return keys


def load_signing_key(file: Path) -> Ed25519PrivateKey:
    """The hospital's own, PEM without passphrase. Raises `SettingsError`."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise SettingsError(f"{file}: holds no PEM private key without passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{file}: is not an Ed25519 key; make one with `rehabbox reference key`")
    return key
