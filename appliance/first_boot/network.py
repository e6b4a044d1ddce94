"""The box's network from one file, `network.toml`: wire, or Wi-Fi, for systemd-networkd and wpa_supplicant.

[wire]                      # may be left out: a wire that is plugged in gets its address by DHCP
address = "192.0.2.20/24"   # these three only where there is no DHCP
gateway = "192.0.2.1"
dns = ["192.0.2.53"]

[wifi]
ssid = "ward"
passphrase = "..."          # 8 to 63 characters; kept where only root reads
country = "DE"              # which channels are allowed

[time]
servers = ["ntp.hospital.example"]
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from hashlib import pbkdf2_hmac
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from appliance.errors import NetworkError, RecordingError
from appliance.recording.disk import write_whole
from appliance.toml_text import TomlError, read_toml

LARGEST = 1 << 16
LONGEST_NAME = 32
"""Bytes of a Wi-Fi's name (IEEE 802.11)."""


def _short(name: str) -> str:
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"a name has at most {LONGEST_NAME} bytes, and this one has {len(name.encode())}")
    return name


def _address(said: object) -> IPv4Address | IPv6Address:
    if isinstance(said, str) and "%" not in said:  # a scope would be any text, also of several lines
        with suppress(ValueError):
            return ip_address(said)
    raise ValueError("it wants an address like 192.0.2.1 or 2001:db8::1")


def _interface(said: object) -> IPv4Interface | IPv6Interface:
    if isinstance(said, str) and "%" not in said and "/" in said:
        with suppress(ValueError):
            return ip_interface(said)
    raise ValueError("it wants an address and its network's length, like 192.0.2.20/24 or 2001:db8::20/64")


Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(_address)]
Interface = Annotated[IPv4Interface | IPv6Interface, BeforeValidator(_interface)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wire(_Part):
    """How a wired interface gets its address; by DHCP without one."""

    address: Interface | None = None
    gateway: Address | None = None
    dns: tuple[Address, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.address is None and (self.gateway is not None or self.dns):
            raise ValueError("gateway and dns go with an address; DHCP brings its own")
        return self


class Wifi(Wire):
    """A network protected by a passphrase (WPA2 or WPA3), joined by its name."""

    ssid: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(_short)]
    passphrase: Annotated[str, Field(min_length=8, max_length=63, pattern=r"^[\x20-\x7e]+$", repr=False)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    hidden: bool = False


class Time(_Part):
    """Where the box gets the time, where the network's own servers are not allowed."""

    servers: Annotated[tuple[Host, ...], Field(min_length=1)]


class Network(_Part):
    """The whole file."""

    wire: Wire = Wire()
    wifi: Wifi | None = None
    time: Time | None = None


def read_network(file: Path) -> Network:
    """Raises `NetworkError` naming file, key and what is wrong; never with a passphrase in it."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise NetworkError(f"{file}: is larger than {LARGEST} bytes")
        return Network.model_validate(read_toml(data))
    except TomlError as error:
        raise NetworkError(f"{file}: {error}") from None
    except OSError as error:
        raise NetworkError(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(_printable(key) for key in first["loc"])
        raise NetworkError(f"{file}: {place}: {first['msg'].removeprefix('Value error, ')}") from None


def _printable(key: str | int) -> str:
    return ascii(str(key)[:64])[1:-1]


def files_for(network: Network, wireless: str | None) -> dict[Path, tuple[str, int]]:
    """Text and mode of each file. wireless: the Wi-Fi interface. Raises `NetworkError` where there is none."""
    files = {Path("systemd/network/50-rehabbox-wire.network"): (_networkd("Type=ether", network.wire, 10), 0o644)}
    if network.wifi is not None:
        if wireless is None:
            raise NetworkError("wifi: this box has no Wi-Fi")
        name = Path("systemd/network/50-rehabbox-wifi.network")
        files[name] = (_networkd(f"Name={wireless}", network.wifi, 20), 0o644)
        files[Path(f"wpa_supplicant/rehabbox-{wireless}.conf")] = (_supplicant(network.wifi), 0o600)
    if network.time is not None:
        servers = f"[Time]\nNTP={' '.join(network.time.servers)}\n"
        files[Path("systemd/timesyncd.conf.d/50-rehabbox.conf")] = (servers, 0o644)
    return files


OURS = (
    "systemd/network/50-rehabbox-*.network",
    "wpa_supplicant/rehabbox-*.conf",
    "wpa_supplicant/.rehabbox-*.tmp",  # what a power cut left of one
    "systemd/timesyncd.conf.d/50-rehabbox.conf",
)


def wireless_interface(sysfs: Path = Path("/sys/class/net")) -> str | None:
    """The first; None where the box has none."""
    return next((link.name for link in sorted(sysfs.glob("*")) if (link / "wireless").exists()), None)


def apply(network: Network, etc: Path = Path("/etc"), systemctl: str = "systemctl") -> list[str]:
    """Puts it in force, as root; what was said before by this file is gone. Names of what was written.

    Raises `NetworkError`; what was there before then stays, but for a disk that fails half-way.
    """
    wireless = wireless_interface()
    files = files_for(network, wireless)
    try:
        for name, (text, mode) in files.items():
            (etc / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(etc / name, text.encode(), mode)
        for pattern in OURS:
            for old in etc.glob(pattern):
                if old.relative_to(etc) not in files:
                    old.unlink()
    except RecordingError as error:
        raise NetworkError(f"{error}; run it as root, on a disk with space") from None
    except OSError as error:
        raise NetworkError(f"{error.filename}: {error.strerror}; run it as root") from None
    units = ["systemd-networkd.service"] + ([f"rehabbox-wifi@{wireless}.service"] if network.wifi else [])
    for unit in units:
        _ctl(systemctl, "enable", unit)
        _ctl(systemctl, "restart", unit)
    if network.time is not None:
        _ctl(systemctl, "try-restart", "systemd-timesyncd.service")
    return [str(etc / name) for name in files]


def _networkd(match: str, wire: Wire, metric: int) -> str:
    lines = ["[Match]", match, "", "[Network]"]
    if wire.address is None:
        lines += ["DHCP=yes", "", "[DHCPv4]", f"RouteMetric={metric}", "UseNTP=yes"]
    else:
        lines += [f"Address={wire.address}", *(f"DNS={server}" for server in wire.dns)]
        if wire.gateway is not None:
            lines += ["", "[Route]", f"Gateway={wire.gateway}", f"Metric={metric}"]
    return "\n".join(lines) + "\n"


def _supplicant(wifi: Wifi) -> str:
    """WPA2 by the key that the passphrase stands for (IEEE 802.11, annex J.4); WPA3's SAE wants the passphrase itself.

    Name and passphrase in hexadecimal. ieee80211w: protected management frames where there are any, as SAE demands.
    sae_pwe: both of its ways, since access points of 6 GHz know only the newer one.
    """
    key = pbkdf2_hmac("sha1", wifi.passphrase.encode(), wifi.ssid.encode(), 4096, 32).hex()
    lines = [
        f"country={wifi.country}",
        "update_config=0",
        "sae_pwe=2",
        "",
        "network={",
        f"\tssid={wifi.ssid.encode().hex()}",
    ]
    lines += ["\tscan_ssid=1"] if wifi.hidden else []
    lines += [f"\tpsk={key}", f"\tsae_password={wifi.passphrase.encode().hex()}"]
    return "\n".join([*lines, "\tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE", "\tieee80211w=1", "}"]) + "\n"


def _ctl(systemctl: str, *arguments: str) -> None:
    done = subprocess.run([systemctl, *arguments], capture_output=True, text=True, env=_plain(os.environ))
    if done.returncode:
        raise NetworkError(f"systemctl {' '.join(arguments)}: {' '.join(done.stderr.split())}")


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": environment.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LC_ALL": "C"}
