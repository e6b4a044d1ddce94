"""mosquitto's settings and rules, written out from `config/broker/`: for a hospital as for the demo and the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from appliance.config_folder import config_dir
from appliance.messages.topics import PREFIX

_HEAD = """\
# Who may do what at the broker, by a certificate's common name; written by `rehabbox fleet` from config/broker/acl.
# What is not allowed here is denied.
"""


def roles() -> list[str]:
    """What a person or a system at the hospital can be."""
    return sorted(file.name for file in (config_dir() / "broker" / "acl").iterdir() if file.name != "box")


def rules(sites: Sequence[str], users: Iterable[tuple[str, str]], locked_out: Iterable[str] = ()) -> str:
    """The broker's `acl_file`. users: name and role; locked_out: names that may do nothing, whatever certificate they
    show: an open connection is not closed when its certificate is revoked."""
    denied = (f"user {name}\ntopic deny #\n" for name in locked_out)
    # The boxes' patterns hold for every name: without the first line a reader could play a box of its own name.
    allowed = (f"user {name}\ntopic deny {PREFIX}/+/{name}/#\n{_lines(role, sites)}" for name, role in users)
    return "\n".join([_HEAD, *denied, *allowed, _lines("box", sites)])


def _lines(role: str, sites: Sequence[str]) -> str:
    template = (config_dir() / "broker" / "acl" / role).read_text("utf-8")
    lines = [line for site in sites for line in template.format(site=site).splitlines()]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def mosquitto_conf(
    *,
    folder: Path,
    certificate: Path,
    key: Path,
    crl: Path | None,
    state: Path,
    port: int,
    systems_port: int | None = None,
    address: str = "",
    user: str = "",
) -> str:
    """folder: where `ca.pem` and `acl` are; address: the listeners', empty for all.

    port: for the boxes, each connected once, under its name; with no `systems_port`, for everybody under any client id.
    """
    templates = config_dir() / "broker"
    files = {"folder": folder, "certificate": certificate, "key": key, "address": f" {address}" if address else ""}
    files["crlfile"] = (
        f"crlfile {crl}" if crl else "# No revocation list: revoked boxes are shut out by the rules alone."
    )
    ports = {port: systems_port is not None}
    if systems_port is not None:
        ports[systems_port] = False
    template = (templates / "listener.conf").read_text("utf-8")
    listeners = [template.format(**files, port=one, fixed_id=str(fixed).lower()) for one, fixed in ports.items()]
    return (
        (templates / "mosquitto.conf")
        .read_text("utf-8")
        .format(user=f"user {user}" if user else "", listeners="\n".join(listeners), folder=folder, state=state)
    )
