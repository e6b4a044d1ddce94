"""`fleet.toml`: what the fleet's boxes are told. Made by `rehabbox fleet init`, changed with an editor."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from appliance.enrolment.hospital_file import Broker, EstServer, Port
from appliance.errors import FleetError
from appliance.hospital.settings import Level
from appliance.toml_text import TomlError, read_toml

Days = Annotated[int, Field(ge=1, le=3650)]

_TEMPLATE = """\
# What the boxes of this fleet are told. Once a box is enrolled it keeps what it was told until it is enrolled again.
sites = {sites}                     # each a level of the topics: rehabbox/1/<site>/<box>/...

[broker]
host = {host}                       # as boxes reach it, and as in its certificate
port = {port}
systems_port = {systems_port}       # for the hospital's own systems: let it be reached from inside the hospital only

{est}

[days]                              # how long certificates of the local authority last
box = 730
user = 730
broker = 730
"""


class Lives(BaseModel):
    """Of certificates, in days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    box: Days = 730
    user: Days = 730
    broker: Days = 730

    def of(self, kind: str) -> timedelta:
        days: int = getattr(self, kind)
        return timedelta(days=days)


class FleetBroker(Broker):
    """As boxes reach it, and where the hospital's own systems do."""

    systems_port: Port
    """A listener of their own, on which one name may have several connections under client ids of its choice."""

    @model_validator(mode="after")
    def _two_ports(self) -> Self:
        if self.systems_port == self.port:
            raise ValueError("port and systems_port must differ")
        return self


class FleetSettings(BaseModel):
    """Everything in `fleet.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sites: Annotated[tuple[Level, ...], Field(min_length=1)]
    broker: FleetBroker
    est: EstServer | None = None
    days: Lives = Lives()


_EST = """\
[est]                               # the hospital's enrolment server (RFC 7030): with one, boxes renew by themselves
host = {host}
port = {port}
label = ""                          # which of its authorities: /.well-known/est/<label>/"""


def new_fleet_settings(
    sites: tuple[str, ...], broker: tuple[str, int], systems_port: int, est: tuple[str, int] | None
) -> bytes:
    """A new `fleet.toml`, checked. broker, est: host and port. Raises `FleetError`."""
    host, port = est or ("est.hospital.example", 443)
    server = _EST.format(host=json.dumps(host), port=port)
    if est is None:
        server = "\n".join(f"# {line}" for line in server.splitlines())
    host, port = broker
    text = _TEMPLATE.format(
        sites=json.dumps(list(sites)), host=json.dumps(host), port=port, systems_port=systems_port, est=server
    )
    toml = text.encode()
    _checked(toml, "fleet init")
    return toml


def read_fleet_settings(file: Path) -> FleetSettings:
    """Raises `FleetError` naming file and key."""
    try:
        return _checked(file.read_bytes(), file)
    except OSError as error:
        raise FleetError(f"{file}: cannot be read: {error.strerror}") from None


def _checked(toml: bytes, whence: object) -> FleetSettings:
    try:
        return FleetSettings.model_validate(read_toml(toml))
    except TomlError as error:
        raise FleetError(f"{whence}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise FleetError(f"{whence}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
