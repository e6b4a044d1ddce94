"""`rehabbox fleet console`: boxes, alerts and results as a web page."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from secrets import token_hex

import click

from appliance.commands.fleet_options import path
from appliance.errors import RehabBoxError, SettingsError

MOST_CONNECTIONS = 500
"""Further ones are answered 503: half of the files that a process may have open is left for the rest."""


@click.command()
@click.argument("broker")
@click.option("--site", default="+", help="Only this site's boxes.")
@click.option("--ca", type=path, help="The authority that signed the broker's certificate.")
@click.option("--certificate", type=path, help="Ours, for the broker: a reader's of `fleet user`.")
@click.option("--key", type=path, help="Its private key.")
@click.option("--listen", default="127.0.0.1:8800", show_default=True, metavar="ADDRESS:PORT", help="Where it answers.")
@click.option("--token-file", type=path, help="Whoever knows its first line may look.")
@click.option("--user-header", metavar="NAME", help="Whom the reverse proxy names in this header may look.")
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Where it may come from.  [default: this host]",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="By which browsers reach it, as console.hospital.example; repeatable.  [default: by address or localhost]",
)
@click.option("--tls-certificate", type=path, help="PEM: the page is served by HTTPS.")
@click.option("--tls-key", type=path, help="Its private key.")
@click.option("--history", type=path, metavar="F", help="Results from before: the SQLite file of tools/consume.")
def console(
    broker: str,
    site: str,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    listen: str,
    token_file: Path | None,
    user_header: str | None,
    proxies: tuple[str, ...],
    hosts: tuple[str, ...],
    tls_certificate: Path | None,
    tls_key: Path | None,
    history: Path | None,
) -> None:
    """Serve a read-only page of boxes, alerts, results and courses, fed by the broker, until Ctrl-C.

    BROKER is mqtts://HOST:PORT. Somebody must be able to sign in: by a token, or through the hospital's reverse proxy,
    which authenticates people and names them in a header. Nothing is served to others.

    \b
    Example:
      (umask 077; openssl rand -base64 32 >console.token)
      rehabbox fleet console mqtts://broker.example --ca ca.pem --certificate ward.pem --key ward.key
          --token-file console.token
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together")
    if (tls_certificate is None) != (tls_key is None):
        raise click.UsageError("--tls-certificate and --tls-key go together")
    host, port = _address(listen)
    if tls_certificate is not None:
        _check(tls_certificate, tls_key)
    if token_file is not None and tls_certificate is None and not host.is_loopback:
        raise click.UsageError(
            "a token must not travel in the clear: give --tls-certificate, or listen on 127.0.0.1 behind a proxy"
        )
    try:
        import uvicorn

        from appliance.console.app import console as make
        from appliance.console.prompt_requests import PromptRequests
    except ImportError as error:
        raise RehabBoxError(f"the console needs {error.name}: pip install 'rehabbox[console]'") from None
    from appliance.board.board import filters
    from appliance.console.access import Access, read_token
    from appliance.console.feed import Feed
    from appliance.console.history import History
    from appliance.hospital.client import BrokerAddress, HospitalClient

    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    token = read_token(token_file) if token_file is not None else None
    access = Access(user_header, frozenset(proxies or ("127.0.0.1", "::1")), token, frozenset(hosts))
    stored = History(history) if history is not None else None
    address = BrokerAddress.parse(broker, ca, certificate, key)
    with (
        _listening(host, port) as listener,
        HospitalClient(address, f"console-{token_hex(4)}", filters(site)) as client,
    ):
        app = make(Feed(client), access, stored, secure=tls_certificate is not None)
        scheme = "https" if tls_certificate is not None else "http"
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=PromptRequests,
                ssl_certfile=tls_certificate,
                ssl_keyfile=tls_key,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who connects is asked of the connection itself
                timeout_graceful_shutdown=2,
                limit_concurrency=MOST_CONNECTIONS,
            )
        )
        where = f"{listen.rpartition(':')[0]}:{listener.getsockname()[1]}"
        click.echo(f"{scheme}://{where} shows the boxes at {address}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
        if not server.started:
            raise RehabBoxError("the page could not be served: the lines above say why")


def _check(certificate: Path, key: Path | None) -> None:
    """Before the page is said to be there. Raises `SettingsError` where it cannot be served with them."""
    try:
        # An encrypted key is refused, not asked for: a service has no terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError):
        why = "not a certificate and its own key, as PEM without a passphrase"
    except OSError as error:
        why = str(error.strerror)
    else:
        return
    raise SettingsError(f"--tls-certificate {certificate}, --tls-key {key}: {why}")


def _listening(host: IPv4Address | IPv6Address, port: int) -> socket.socket:
    """
    Before anything is asked of the broker.

    Raises:
        RehabBoxError: the address is not this machine's, or the port another's.
    """
    try:
        return socket.create_server((str(host), port), family=socket.AF_INET6 if host.version == 6 else socket.AF_INET)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno is not None else str(error)
        raise RehabBoxError(f"cannot listen on {host} port {port}: {why}; choose another with --listen") from None


def _address(listen: str) -> tuple[IPv4Address | IPv6Address, int]:
    host, _, port = listen.rpartition(":")
    try:
        address, number = ip_address(host.strip("[]")), int(port)
    except ValueError:
        number = -1
    if not 0 <= number <= 65_535:
        raise SettingsError(f"--listen {listen}: write an address and a port, as 127.0.0.1:8800")
    return address, number
