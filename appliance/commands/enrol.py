"""`rehabbox enrol`: the box becomes known to its hospital."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import click

from appliance.commands.output import json_option, print_json
from appliance.commands.seconds import Seconds
from appliance.enrolment.durable import write_durably
from appliance.enrolment.est import LaterError
from appliance.enrolment.hospital_file import read_enrolment, read_hospital
from appliance.enrolment.identity import Current, Identity, proxy_of
from appliance.enrolment.online import enrol_online, renew_online
from appliance.enrolment.renewal import due_at
from appliance.errors import EnrolmentError
from appliance.hospital.certificates import fingerprint, read_certificates, read_file
from appliance.hospital.settings import LEVEL, address_of_proxy
from appliance.settings import enrolment_folder

CREDENTIAL = "rehabbox.enrolment-code"
"""Of systemd (`LoadCredential=`, `systemd-run -p LoadCredential=`)."""

F = TypeVar("F", bound=Callable[..., Any])


def _settings_option(command: F) -> F:
    return click.option("--settings", "file", type=click.Path(path_type=Path), help="As for `rehabbox run`.")(command)


def _proxy_option(command: F) -> F:
    return click.option("--proxy", metavar="URL", help="http://HOST:PORT, where the box goes out through one.")(command)


@click.group()
def enrol() -> None:
    """Make the box known to its hospital: its key is made here and never leaves it.

    \b
    By hand, with files that hold no secret:
      rehabbox enrol request --box box-1 --out box-1.csr    then, at the hospital: rehabbox fleet sign box-1.csr
      rehabbox enrol install box-1.enrolment.json
    At a hospital with an EST server (RFC 7030), for a one-time code:
      rehabbox enrol est hospital.json --box box-1
    """


@enrol.command()
@click.option("--box", required=True, help="The box's id, as on its label.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the request goes (PEM, no secret).")
@_settings_option
def request(box: str, out: Path, file: Path | None) -> None:
    """Make the box's key, and a request for its certificate to be carried to the hospital.

    \b
    Example:
      rehabbox enrol request --box box-1 --out /media/stick/box-1.csr
    """
    pem = Identity(enrolment_folder(file)).request(_checked(box))
    write_durably(out, pem, 0o644)
    click.echo(f"{out}: carry it to the hospital; the answer goes into `rehabbox enrol install`")


@enrol.command()
@click.argument("answer", type=click.Path(path_type=Path))
@_proxy_option
@_settings_option
def install(answer: Path, proxy: str | None, file: Path | None) -> None:
    """Put the hospital's ANSWER in force: certificate, authority, broker, site and reference key, all at once.

    \b
    Example:
      rehabbox enrol install /media/stick/box-1.enrolment.json
    """
    if proxy is not None:
        address_of_proxy(proxy)
    _tell(Identity(enrolment_folder(file)).install(read_enrolment(answer), proxy))


@enrol.command()
@click.argument("hospital", type=click.Path(path_type=Path))
@click.option("--box", required=True, help="The box's id, as on its label.")
@click.option("--code-file", type=click.Path(path_type=Path), help="Holds the one-time code; else it is asked for.")
@click.option("--wait-s", type=Seconds(0), default=600.0, show_default=True, help="For a late decision.")
@_proxy_option
@_settings_option
def est(hospital: Path, box: str, code_file: Path | None, wait_s: float, proxy: str | None, file: Path | None) -> None:
    """Enrol at the EST server that HOSPITAL (of `rehabbox fleet hospital`) names.

    The one-time code comes from --code-file, from the systemd credential rehabbox.enrolment-code, or from the terminal;
    never from an argument, which other users of the machine could read.

    \b
    Example:
      rehabbox enrol est hospital.json --box box-1 --code-file code
    """
    if proxy is not None:
        address_of_proxy(proxy)
    told, code = read_hospital(hospital), _code(code_file)
    identity, deadline = Identity(enrolment_folder(file)), monotonic() + wait_s
    while True:
        try:
            _tell(enrol_online(identity, told, _checked(box), code, proxy))
            return
        except LaterError as later:
            if monotonic() + later.retry_s > deadline:
                raise
            click.echo(f"{later}; asking again in {later.retry_s:.0f} s", err=True)
            sleep(later.retry_s)


@enrol.command()
@_settings_option
def renew(file: Path | None) -> None:
    """Renew the certificate now (the daemon does so by itself at two thirds of its life).

    \b
    Example:
      rehabbox enrol renew
    """
    _tell(renew_online(Identity(enrolment_folder(file))))


@enrol.command()
@_settings_option
@json_option
def show(file: Path | None, as_json: bool) -> None:
    """Who the box is, until when, and every address it goes out to.

    \b
    Example:
      rehabbox enrol show
    """
    current = Identity(enrolment_folder(file)).current()
    hospital, proxy = current.enrolment.hospital, proxy_of(current)
    addresses = [{"what": "broker", "host": hospital.broker.host, "port": hospital.broker.port}]
    if hospital.est is not None:
        addresses.append({"what": "enrolment", "host": hospital.est.host, "port": hospital.est.port})
    authorities = [fingerprint(one) for one in read_certificates(hospital.ca.encode(), "hospital.ca")]
    document = {
        "box": current.enrolment.box,
        "site": hospital.site,
        "valid_until": current.certificate.not_valid_after_utc.isoformat(),
        "renewal": due_at(current).isoformat() if hospital.est else None,
        "addresses": addresses,
        "proxy": proxy,
        "authorities": authorities,
    }
    if as_json:
        print_json(document)
        return
    _tell(current)
    click.echo("\n".join(f"goes out to {one['host']}:{one['port']} (TCP, TLS): {one['what']}" for one in addresses))
    if proxy is not None:
        click.echo(f"through the proxy {proxy}")
    click.echo("\n".join(f"trusts the authority {one}" for one in authorities))


def _tell(current: Current) -> None:
    until = f"{current.certificate.not_valid_after_utc:%Y-%m-%d}"
    click.echo(f"box {current.enrolment.box} of {current.enrolment.hospital.site}: enrolled until {until}")


def _checked(box: str) -> str:
    if not re.fullmatch(LEVEL, box):
        raise EnrolmentError(f"--box {box}: letters, digits, '.', '_' and '-' only, at most 64")
    return box


def _code(file: Path | None) -> str:
    credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / CREDENTIAL
    if file is None and credential.exists():
        file = credential
    if file is not None:
        code = read_file(file).decode("utf-8", "replace").strip()
    elif sys.stdin.isatty():
        code = click.prompt("One-time code", hide_input=True)
    else:
        raise EnrolmentError("no one-time code: name its file with --code-file")
    if not code:
        raise EnrolmentError(f"{file}: is empty; it should hold the one-time code")
    return code
