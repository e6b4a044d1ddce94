"""The hospital's console as a web application: pages that read, nothing that writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from appliance.board.line import Payload
from appliance.console.access import COOKIE, SIGN_IN, Access, SignedIn
from appliance.console.feed import Feed
from appliance.console.history import History

PING_S = 15
"""So that a proxy does not take a quiet hour for the end."""
MOST_SIGN_IN_BYTES = 4096
WRONG_TOKEN_S = 1.0
"""A wrong token's answer takes so long: trying them out is of no use."""
_PAGE = Path(__file__).with_name("page")
_log = logging.getLogger(__name__)


def console(feed: Feed, access: Access, history: History | None, *, secure: bool) -> Starlette:
    """secure: it is reached by HTTPS, so that cookies may go nowhere else."""
    templates = Environment(loader=PackageLoader("appliance.console", "page"), autoescape=True)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with feed.listening():
            yield

    async def index(request: Request) -> Response:
        page = templates.get_template("index.html")
        return HTMLResponse(page.render(user=request.state.user, by_token=access.token is not None))

    async def sign_in(request: Request) -> Response:
        if request.method == "GET" or access.token is None:
            return HTMLResponse(templates.get_template("sign_in.html").render(wrong=False))
        if int(request.headers.get("content-length", MOST_SIGN_IN_BYTES + 1)) > MOST_SIGN_IN_BYTES:
            return JSONResponse({"error": f"a sign-in has {MOST_SIGN_IN_BYTES} bytes or less"}, 413)
        try:
            form = await request.form(max_files=0, max_fields=1)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        if not access.knows(str(form.get("token", ""))):
            _log.warning("sign-in refused: wrong token from %s", request.client.host if request.client else "?")
            await asyncio.sleep(WRONG_TOKEN_S)
            return HTMLResponse(templates.get_template("sign_in.html").render(wrong=True), 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, access.begin(), httponly=True, samesite="strict", secure=secure)
        return answer

    async def sign_out(request: Request) -> Response:
        access.end(request.cookies.get(COOKIE))
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(COOKIE)
        return answer

    async def events(request: Request) -> Response:
        return EventSourceResponse(feed.events(lambda: access.user_of(request) is not None), ping=PING_S)

    async def box(request: Request) -> Response:
        found = feed.details(_asked(request, "name"))
        return JSONResponse({"error": "nothing was heard of it"}, 404) if found is None else JSONResponse(found)

    async def course(request: Request) -> Response:
        site, subject = _asked(request, "subject")
        _log.info("%r looks at the course of subject %r of %r", request.state.user, subject, site)
        stored = await run_in_threadpool(history.of, site, subject) if history is not None else []
        return JSONResponse({"results": _in_order([*stored, *feed.results_of(site, subject)])})

    async def plotly(_: Request) -> Response:
        return FileResponse(
            str(files("plotly") / "package_data" / "plotly.min.js"), headers={"Cache-Control": "max-age=86400"}
        )

    return Starlette(
        routes=[
            Route("/", index),
            Route(SIGN_IN, sign_in, methods=["GET", "POST"]),
            Route("/sign-out", sign_out, methods=["POST"]),
            Route("/events", events),
            Route("/box", box),
            Route("/course", course),
            Route("/vendor/plotly.min.js", plotly),
            Mount("/page", StaticFiles(directory=_PAGE)),
        ],
        middleware=[Middleware(SignedIn, access=access)],
        lifespan=lifespan,
    )


def _asked(request: Request, what: str) -> tuple[str, str]:
    """Site and what there. Not of the path, of which browsers take `..` out before they ask."""
    return request.query_params.get("site", ""), request.query_params.get(what, "")


def _in_order(lines: list[Payload]) -> list[Payload]:
    """By when they began, each once, as it was corrected last."""
    newest = {line["key"]: line for line in sorted(lines, key=lambda line: int(line["sequence"]))}
    return sorted(newest.values(), key=lambda line: str(line["started"]))
