"""Where the broker is and who the box is there."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, Field, field_validator

from appliance.errors import SettingsError

LEVEL = r"^[A-Za-z0-9._-]{1,64}$"
Level = Annotated[str, Field(pattern=LEVEL)]
"""A name that can be one level of a topic."""


PROXY = r"^http://[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?:[0-9]{1,5}/?$"


class BrokerSettings(BaseModel):
    """The settings' section `broker`. Paths are PEM files; the key has no passphrase, its file's mode protects it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1)]
    """As in the broker's certificate."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    ca: Path
    """The authority that signed the broker's certificate."""
    certificate: Path
    """The box's certificate."""
    key: Path
    """The certificate's private key. `$CREDENTIALS_DIRECTORY/rehabbox.key` is what systemd loaded for the daemon."""
    site: Level
    """The hospital's name for the place, a level of every topic."""
    box: Level
    """The box's id: the common name of its certificate, a level of every topic."""
    keepalive_s: Annotated[int, Field(ge=1, le=3600)] = 30
    """After one and a half times this without a sign of life the broker declares the box lost."""
    spread_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """A box that lost its connection comes back within this, at a time of its own: all boxes lose it at once when the
    broker restarts, and each costs it a TLS handshake. A second for 200 boxes at one broker is enough."""
    proxy: Annotated[str, Field(pattern=rf"{PROXY}|^$")] = ""
    """`http://host:port` of an outbound proxy that allows `CONNECT` to the broker's port; empty: there is none."""

    @field_validator("key")
    @classmethod
    def _loaded_by_systemd(cls, key: Path) -> Path:
        if key.parts[:1] != ("$CREDENTIALS_DIRECTORY",):
            return key
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise ValueError(f"{key} is there for the daemon alone; lay the key into /etc/credstore")
        return Path(folder, *key.parts[1:])

    @property
    def proxy_address(self) -> tuple[str, int] | None:
        """Host and port."""
        return address_of_proxy(self.proxy) if self.proxy else None


def address_of_proxy(url: str) -> tuple[str, int]:
    """Host and port of `http://host:port`. Raises `SettingsError`; one that wants a password is not supported."""
    host, _, port = url.removeprefix("http://").removesuffix("/").rpartition(":")
    if not re.fullmatch(PROXY, url) or int(port) > 65535:
        raise SettingsError(f"{url}: is not a proxy's address; write http://HOST:PORT, without user and password")
    return host, int(port)


class OutboxSettings(BaseModel):
    """The settings' section `outbox`: what waits for the broker."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit_mb: Annotated[int, Field(ge=1, le=1 << 20)] = 256
    """Disk for messages that wait. Beyond it session messages are dropped; results then wait in their session files."""
    late_per_s: Annotated[float, Field(gt=0, le=1000)] = 10.0
    """Messages a second of those that waited over an outage; new ones go out at once."""
    keep_s: Annotated[float, Field(ge=0, le=3600)] = 90.0
    """A result stays so long after the broker confirmed it, and is sent again where the connection breaks meanwhile.

    Longer than the broker takes to have it on its own disk: mosquitto's `autosave_interval`, 60 s as we set it up.
    """
    needs_listener: bool = True
    """A result that the broker took although nobody subscribes to it is kept and sent again.

    False where the broker itself stores results, by a rule or a bridge, without a subscription. Of a result's two
    messages this is the one on `result`; the FHIR message needs no subscriber, for many hospitals have none.
    """


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """TLS 1.3 with the box's certificate, the broker's chain and host name checked.

    Raises `SettingsError` naming the key whose file is missing, unreadable or does not fit the others.
    """
    settings = _at_one_time(settings)
    for key in ("ca", "certificate", "key"):
        _read(settings, key)
    _check_common_name(settings)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(settings.ca)
    except ssl.SSLError:
        raise SettingsError(f"broker.ca: {settings.ca} holds no PEM certificate") from None
    try:
        # An empty passphrase, so that an encrypted key is refused; without one OpenSSL would ask a terminal.
        context.load_cert_chain(settings.certificate, settings.key, password="")
    except (ssl.SSLError, ValueError):
        fault = f"{settings.key} is not the PEM key, without passphrase, of {settings.certificate}"
        raise SettingsError(f"broker.key: {fault}") from None
    return context


def _at_one_time(settings: BrokerSettings) -> BrokerSettings:
    """The files where they really are: a renewal that puts another folder in place cannot mix an old key with a new
    certificate, for it leaves the old folder's files alone."""
    folders: dict[Path, Path] = {}
    real = {}
    for key in ("ca", "certificate", "key"):
        file: Path = getattr(settings, key)
        if file.parent not in folders:
            folders[file.parent] = file.parent.resolve()
        real[key] = folders[file.parent] / file.name
    return settings.model_copy(update=real)


def _read(settings: BrokerSettings, key: str) -> bytes:
    file: Path = getattr(settings, key)
    try:
        return file.read_bytes()
    except OSError as error:
        hint = "; enrol the box (rehabbox enrol)" if isinstance(error, FileNotFoundError) else ""
        raise SettingsError(f"broker.{key}: cannot read {file}: {error.strerror}{hint}") from None


def _check_common_name(settings: BrokerSettings) -> None:
    try:
        subject = x509.load_pem_x509_certificate(_read(settings, "certificate")).subject
    except ValueError:
        raise SettingsError(f"broker.certificate: {settings.certificate} is not a PEM certificate") from None
    names = [str(name.value) for name in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [settings.box]:
        held = ", ".join(names) or "no common name"
        raise SettingsError(f"broker.box: is {settings.box!r}, but {settings.certificate} was issued to {held}")
