"""What the hospital tells its boxes, as a file without a secret: carried by hand, or on the box from the start."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from appliance.enrolment.durable import write_durably
from appliance.errors import EnrolmentError
from appliance.hospital.certificates import read_certificates, read_file
from appliance.hospital.settings import Level

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{1,63}(\.[A-Za-z0-9:_-]{1,63})*\.?$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _certificates(pem: str) -> str:
    try:
        read_certificates(pem.encode(), "")
    except EnrolmentError:
        raise ValueError("holds no PEM certificate") from None
    return pem


def _ed25519(pem: str) -> str:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("is not a PEM Ed25519 public key")  # noqa: TRY004  pydantic wants ValueError
    return pem


Certificates = Annotated[str, AfterValidator(_certificates)]
"""One or more PEM certificates."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Broker(_Part):
    """Where results go."""

    host: Host
    port: Port = 8883


class EstServer(_Part):
    """The hospital's enrolment server (RFC 7030), where it has one."""

    host: Host
    port: Port = 443
    label: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{0,64}$")] = ""
    """Which of its authorities, where it has several: `/.well-known/est/<label>/`."""


class Hospital(_Part):
    """The same for every box of a site."""

    version: Literal[1] = 1
    site: Level
    broker: Broker
    ca: Certificates
    """Whom to trust: signed the broker's certificate, the EST server's and the boxes'."""
    reference_key: Annotated[str, AfterValidator(_ed25519)] | None = None
    """PEM; references must be signed by its private half."""
    est: EstServer | None = None


class Enrolment(_Part):
    """For one box: who it is, and the certificate, with those between it and the authority."""

    box: Level
    certificate: Certificates
    hospital: Hospital


Told = TypeVar("Told", Hospital, Enrolment)


def read_hospital(file: Path) -> Hospital:
    """Raises `EnrolmentError` naming file and field."""
    return _read(file, Hospital)


def read_enrolment(file: Path) -> Enrolment:
    """Raises `EnrolmentError` naming file and field."""
    return _read(file, Enrolment)


def write_told(file: Path, told: Hospital | Enrolment) -> None:
    """Raises `EnrolmentError`."""
    write_durably(file, told.model_dump_json(indent=2).encode() + b"\n", 0o644)


def _read(file: Path, model: type[Told]) -> Told:
    try:
        return model.model_validate_json(read_file(file).removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EnrolmentError(f"{file}: {f'{place}: ' if place else ''}{first['msg']}") from None
