"""Who may look: whom the hospital's reverse proxy names, or who holds the token. Nobody else, and nobody by default."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from appliance.errors import SettingsError

COOKIE = "rehabbox_console"
SIGN_IN = "/sign-in"
LEAST_TOKEN = 20
"""Characters; a shorter one could be tried out."""
MOST_SESSIONS = 1000
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

    Raises `SettingsError` where neither is given.
    """

    header: str | None = None
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    token: str | None = field(default=None, repr=False)
    _sessions: dict[str, None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.header is None and self.token is None:
            raise SettingsError("nobody could sign in: give --token-file, or --user-header behind a reverse proxy")

    def user_of(self, request: Request) -> str | None:
        """Their name, or None for somebody we do not know."""
        if self.header is not None:
            name = request.headers.get(self.header, "").strip()
            if name and request.client is not None and request.client.host in self.proxies:
                return name
        if self.token is not None:
            kind, _, given = request.headers.get("authorization", "").partition(" ")
            if request.cookies.get(COOKIE) in self._sessions or (kind.lower() == "bearer" and self.knows(given)):
                return "token"
        return None

    def knows(self, token: str) -> bool:
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def begin(self) -> str:
        """A new session's cookie; the oldest ends where there are too many."""
        session = token_urlsafe(32)
        self._sessions[session] = None
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        return session

    def end(self, session: str | None) -> None:
        self._sessions.pop(session or "", None)


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
    """Turns away whom `access` does not know, and puts `HEADERS` on every answer."""

    def __init__(self, app: object, access: Access) -> None:
        super().__init__(app)  # type: ignore[arg-type]
        self._access = access

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        user = self._access.user_of(request)
        if user is None and request.url.path not in _OPEN:
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
