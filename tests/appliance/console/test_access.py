"""Nobody sees anything unless the token or the hospital's proxy lets them in."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from starlette.requests import Request

from appliance.commands.fleet_console import MOST_CONNECTIONS
from appliance.console import access as access_module
from appliance.console.access import COOKIE, SESSION_S, Access
from appliance.hospital.authority import Authority
from tests.appliance.console.running import TOKEN, Console

PAGES = (
    "/events",
    "/box?site=clinic&name=box-1",
    "/course?site=clinic&subject=p-1",
    "/vendor/plotly.min.js",
    "/page/app.js",
)


def test_without_token_or_proxy_nothing_is_shown_and_each_answer_is_guarded(console: Console) -> None:
    for page in PAGES:
        assert console.get(page)[0] == 401, page
    assert "Sign in" in console.get("/")[1]
    assert console.get("/box?site=clinic&name=box-1", Authorization="Bearer wrong")[0] == 401
    assert console.get("/box?site=clinic&name=box-1", Cookie="rehabbox_console=guess")[0] == 401
    assert (
        console.get("/box?site=clinic&name=box-1", Authorization=f"Bearer {TOKEN}")[0] == 404
    )  # it may ask; there is none
    status, page = console.get("/", **{"X-Remote-User": "dr-<b>"})
    assert status == 200
    assert "RehabBox" in page


def test_it_answers_to_its_names_and_addresses_and_tells_others_what_to_do(console: Console) -> None:
    port = console.url.rpartition(":")[2]
    signed_in = {"X-Remote-User": "dr-b"}
    for host in ("console.hospital.example", "Console.Hospital.Example:443", "localhost", f"[::1]:{port}", "10.0.0.7"):
        assert console.get("/", Host=host, **signed_in)[0] == 200, host
    for host in (
        f"evil.example:{port}",
        f"evil_1.example:{port}",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "",
    ):
        status, said = console.get("/events", Host=host, **signed_in)
        assert status == 421, host
        assert "--host" in said
    assert "evil.example" in console.get("/", Host="evil.example")[1]


def test_a_user_that_is_named_twice_and_a_sign_in_without_end_are_refused(console: Console) -> None:
    port = int(console.url.rpartition(":")[2])
    asked = "GET /page/app.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Remote-User: a\r\n{}\r\n"
    posted = (
        "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n{}\r\n\r\n"
    )
    assert _asked(port, asked.format("")) == 200
    assert _asked(port, asked.format("X-Remote-User: b\r\n")) == 401
    assert _asked(port, posted.format("Content-Length: 99999999999")) == 413
    assert _asked(port, posted.format("Transfer-Encoding: chunked")) == 413


def test_connections_beyond_the_limit_are_told_so_and_answered_again_when_there_is_room(console: Console) -> None:
    with ExitStack() as held:
        port = int(console.url.rpartition(":")[2])
        for _ in range(MOST_CONNECTIONS):
            held.enter_context(socket.create_connection(("127.0.0.1", port), 30.0))
        assert console.get("/page/style.css")[0] == 503
    deadline = monotonic() + 30
    while console.get("/page/style.css")[0] != 200:
        assert monotonic() < deadline


def test_a_session_ends_after_a_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(token=TOKEN)
    session = access.begin()
    request = Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={session}".encode())]})
    assert access.user_of(request) == "token"
    monkeypatch.setattr(access_module, "monotonic", lambda: monotonic() + SESSION_S)
    assert access.user_of(request) is None


def _asked(port: int, request: str) -> int:
    """The answer's status."""
    with socket.create_connection(("127.0.0.1", port), 30.0) as connection:
        connection.sendall(request.encode())
        return int(connection.makefile().readline().split()[1])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ([], "--token-file"),
        (["--token-file", "open"], "chmod 600"),
        (["--token-file", "short"], "20 characters"),
        (["--token-file", "none"], "none"),
        (["--token-file", "good", "--listen", "0.0.0.0:8800"], "--tls-certificate"),
        (["--token-file", "good", "--listen", "here"], "--listen here"),
        (["--token-file", "good", "--listen", "127.0.0.1:70000"], "--listen 127.0.0.1:70000"),
        (["--user-header", "X-Remote-User", "--listen", "192.0.2.1:0"], "cannot listen on 192.0.2.1"),
        (["--token-file", "good", "--tls-certificate", "none.pem", "--tls-key", "none.key"], "No such file"),
        (["--token-file", "good", "--tls-certificate", "good", "--tls-key", "good"], "--tls-certificate good"),
        (["--token-file", "good", "--history", "good"], "tools/consume"),
        (["--token-file", "good", "--tls-key", "k"], "go together"),
        (["--token-file", "good", "--host", "https://console.example"], "write a name alone"),
        (["--token-file", "good", "--host", "console.example:443"], "write a name alone"),
    ],
)
def test_an_unsafe_or_wrong_start_is_refused_in_one_line(
    options: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[..., Any]
) -> None:
    for name, mode, text in (("open", 0o644, TOKEN), ("short", 0o600, "123"), ("good", 0o600, TOKEN)):
        (tmp_path / name).touch(mode)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    done = command("fleet", "console", "mqtt://127.0.0.1:9", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert named in done.stderr


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    files = Authority(tmp_path).server(("localhost",))
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    said = _refused("127.0.0.1:0", tmp_path, "--tls-certificate", files.certificate, "--tls-key", locked)
    assert f"--tls-key {locked}: not a certificate and its own key, as PEM without a passphrase" in said


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "127.0.0.1:9" in _refused("127.0.0.1:0", tmp_path)


def test_a_port_that_another_has_is_named_before_the_page_is_said_to_be_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as another:
        port = another.getsockname()[1]
        said = _refused(f"127.0.0.1:{port}", tmp_path)
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --listen" in said


def _refused(listen: str, folder: Path, *options: str | Path) -> str:
    """The one line of a console that does not start."""
    (folder / "token").touch(0o600)
    (folder / "token").write_text(TOKEN)
    command = [sys.executable, "-m", "appliance", "fleet", "console", "mqtt://127.0.0.1:9", "--token-file", "token"]
    command += ["--listen", listen, *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr
