"""Who may look: whom the hospital's reverse proxy names, or who holds the token. Nobody else, and nobody by default."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic
from urllib.parse import urlsplit

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from appliance.errors import SettingsError

COOKIE = "rehabbox_console"
SIGN_IN = "/sign-in"
LEAST_TOKEN = 20
"""Characters; a shorter one could be tried out."""
MOST_SESSIONS = 1000
SESSION_S = 12 * 3600.0
"""A long shift; then the token is asked for again."""
_OPEN = (SIGN_IN, "/page/style.css")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of every answer. Plotly writes its own styles, so inline ones are allowed; scripts never."""


@dataclass(slots=True)
class Access:
    """header: holds the user's name, where it comes from one of `proxies` (addresses). token: of the sign-in page.

    hosts: the names it is reached by, beside addresses and `localhost`. Raises `SettingsError` where neither header nor
    token is given, or a name is none.
    """

    header: str | None = None
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    token: str | None = field(default=None, repr=False)
    hosts: frozenset[str] = frozenset()
    _sessions: dict[str, float] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.header is None and self.token is None:
            raise SettingsError("nobody could sign in: give --token-file, or --user-header behind a reverse proxy")
        self.hosts = frozenset(host.lower() for host in self.hosts)
        for host in self.hosts:
            if host_of(host) != host:
                raise SettingsError(f"--host {host}: write a name alone, as console.hospital.example")

    def user_of(self, request: Request) -> str | None:
        """Their name, or None for somebody we do not know."""
        if self.header is not None:
            given = request.headers.getlist(self.header)
            name = given[0].strip() if len(given) == 1 else ""  # of two, one was not written by the proxy
            if name and request.client is not None and request.client.host in self.proxies:
                return name
        if self.token is not None:
            kind, _, shown = request.headers.get("authorization", "").partition(" ")
            if self._goes_on(request.cookies.get(COOKIE)) or (kind.lower() == "bearer" and self.knows(shown)):
                return "token"
        return None

    def reached_by(self, host: str) -> bool:
        """host: as `host_of` gives it.

        A strange page whose own name was made to lead here (DNS rebinding) could else read everything that its visitor
        may. An address needs no name server, so nobody can make it lead elsewhere.
        """
        try:
            ip_address(host)
        except ValueError:
            return host == "localhost" or host in self.hosts
        return True

    def _goes_on(self, session: str | None) -> bool:
        began = self._sessions.get(session or "")
        return began is not None and monotonic() - began < SESSION_S

    def knows(self, token: str) -> bool:
        return self.token is not None and hmac.compare_digest(token.encode(errors="replace"), self.token.encode())

    def begin(self) -> str:
        """A new session's cookie; the oldest ends where there are too many."""
        session = token_urlsafe(32)
        self._sessions[session] = monotonic()
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        return session

    def end(self, session: str | None) -> None:
        self._sessions.pop(session or "", None)


def host_of(header: str) -> str:
    """The name or address in a `Host` header, in small letters and without its port; empty where there is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def read_token(file: Path) -> str:
    """The file's first line. Raises `SettingsError`."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"--token-file {file}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not lines or len(lines[0].strip()) < LEAST_TOKEN:
        raise SettingsError(
            f"--token-file {file}: its first line should be a token of {LEAST_TOKEN} characters or more, "
            "as from: openssl rand -base64 32"
        )
    if file.stat().st_mode & 0o077:
        raise SettingsError(f"--token-file {file}: others may read it: chmod 600 {file}")
    return lines[0].strip()


class SignedIn(BaseHTTPMiddleware):
    """Turns away who asks for another host, and whom `access` does not know, and puts `HEADERS` on every answer."""

    def __init__(self, app: object, access: Access) -> None:
        super().__init__(app)  # type: ignore[arg-type]
        self._access = access

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        user = self._access.user_of(request)
        host = host_of(request.headers.get("host", ""))
        if not self._access.reached_by(host):
            told = (
                f"this console is not known by the name {host[:200]!r}; where it should be, start it with --host NAME"
            )
            response: Response = JSONResponse({"error": told}, 421)
        elif user is None and request.url.path not in _OPEN:
            response = self._refused(request)
        else:
            request.state.user = user
            response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _refused(self, request: Request) -> Response:
        if self._access.token is not None and request.url.path == "/":
            return RedirectResponse(SIGN_IN, 303)
        return JSONResponse({"error": "sign in first"}, 401)
