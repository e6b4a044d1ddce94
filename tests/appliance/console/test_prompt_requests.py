"""Who connects and asks for nothing, or never comes to an end of asking, does not keep others out."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from time import monotonic, sleep

import pytest

from tests.appliance.console.running import TOKEN, Console
from tests.appliance.console.test_in_a_browser import status

PATIENCE_S = 1.0
ASKED = "GET /page/style.css HTTP/1.1\r\nHost: localhost\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000"
POSTED = f"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{FORM}\r\n\r\ntok"
EVENTS = f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"


@pytest.fixture
def rehabbox() -> list[str]:
    """The command, with less patience, so that the test has it too."""
    change = f"from appliance.console import prompt_requests; prompt_requests.REQUEST_S = {PATIENCE_S}"
    return [sys.executable, "-c", f"{change}; from appliance.cli import main; main()"]


def ends(connection: socket.socket, dripping: bytes) -> bool:
    """Whether the console closes it within ten times its patience, while a byte comes now and then."""
    connection.settimeout(PATIENCE_S / 10)
    deadline = monotonic() + 10 * PATIENCE_S
    while monotonic() < deadline:
        try:
            connection.sendall(dripping)
            if not connection.recv(100_000):
                return True
        except TimeoutError:
            pass
        except OSError:  # closed while we were writing
            return True
    return False


def test_a_connection_without_a_whole_request_is_closed_and_a_page_that_listens_goes_on(console: Console) -> None:
    port = int(console.url.rpartition(":")[2])
    with ExitStack() as held:
        line = [held.enter_context(socket.create_connection(("127.0.0.1", port), 30.0)) for _ in range(6)]
        page, silent, in_its_head, in_its_body, unread, asked_once = line
        page.sendall(EVENTS.encode())
        in_its_head.sendall(ASKED.encode())
        in_its_body.sendall(POSTED.encode())
        unread.sendall(POSTED.replace("/sign-in", "/").encode())  # answered at once, before its body is there
        asked_once.sendall(f"{ASKED}\r\n".encode())
        sleep(PATIENCE_S / 2)
        assert b" 200 OK" in asked_once.recv(100_000)
        asked_once.sendall(f"{ASKED}\r\n".encode())  # as a browser does: the next on the same connection
        sleep(PATIENCE_S)
        assert b" 200 OK" in asked_once.recv(100_000)
        assert ends(silent, b"")
        assert ends(in_its_head, b"X")
        assert ends(in_its_body, b"X")
        assert ends(unread, b"X")
        assert ends(asked_once, b"G")
        page.recv(100_000)
        console.publish("clinic/box-1/status", status())
        page.settimeout(30.0)
        assert b"box-1" in page.recv(100_000)
