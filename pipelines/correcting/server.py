"""The page of results served on this computer, to correct on it.

Every address begins with a random token, so that no other page or user of the computer finds it, and the Host
header must be ours, so that no name of another site stands for it. Only files are served that the page links
to: media that results were made from, and outputs within the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines.batch.index import title_of
from pipelines.correcting.folder import Conflict, Folder
from pipelines.correcting.hearing import Recordings
from pipelines.correcting.labels import classes_of
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.kind import ARCHIVE, OFFICE, TEXT, UNKNOWN, kind_or_name
from pipelines.writers.results_page import page_of
from pipelines.writers.views import MEDIA_TYPES

HOST = "127.0.0.1"
LONGEST = 1_000_000  # bytes of a request's body
MEDIA = ("media", "image", "small")  # what an item links to
POLICY = (
    "default-src 'none'; script-src 'nonce-{}'; style-src 'unsafe-inline'; img-src 'self' data:;"
    " media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def application(folder: Folder, token: str, hosts: tuple[str, ...] = (HOST, "localhost")) -> Starlette:
    """The server's application.

    Args:
        folder: what is corrected; it is finished when the server ends.
        token: first part of every address.
        hosts: names that the Host header may have, with any port.
    """
    pages = _Pages(folder)
    routes = [
        Route("/", pages.page),
        Route("/file/{number:int}/{name:path}", pages.file),
        Route("/result/{number:int}", pages.result),
        Route("/result/{number:int}", pages.save, methods=["POST"]),
        Route("/undo", pages.undo, methods=["POST"]),
        Route("/next", pages.next),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(_) -> AsyncIterator[None]:
        yield
        pages.problems = await run_in_threadpool(folder.finish)
        pages.recordings.close()

    middleware = [Middleware(_Guard, token=token, hosts=hosts)]
    app = Starlette(routes=[Mount(f"/{token}", routes=routes)], middleware=middleware, lifespan=lifespan)
    app.state.pages = pages
    return app


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(18)


class _Guard:
    """Refuses requests for other hosts or with another token, large ones, and those that other pages send."""

    def __init__(self, app: ASGIApp, token: str, hosts: tuple[str, ...]):
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(Request(scope))):
            await refusal(scope, receive, send)
            return

        async def sending(message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                more = ((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
                message["headers"] = [*message["headers"], *(each for each in more if each[0] not in known)]
            await send(message)

        await self.app(scope, receive, sending)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if re.sub(r":\d+$", "", host) not in self.hosts:
            return PlainTextResponse("This server answers only to its own name.", 403)
        token = request.url.path.split("/")[1]
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return PlainTextResponse("Not found: open the address that triscribe correct printed.", 404)
        origin = request.headers.get("origin")
        if request.method != "GET" and origin not in (None, f"http://{host}"):
            return PlainTextResponse("Only this page may correct.", 403)
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LONGEST:
            return PlainTextResponse("The text is too long.", 413)
        return None


class _Pages:
    """What the addresses answer. Files are numbered, so that no request names a path."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self.recordings = Recordings()
        self.problems: list[str] = []  # of the end
        self.files: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._outputs: set[Path] = set()
        for item in folder.items:
            self._number(item)

    def _number(self, item: dict) -> None:
        """Have an item link to files by number."""
        for key in MEDIA:
            if key in item:
                item[key] = self._address(self.folder.place_of(item[key]))
        for output in item["outputs"]:
            path = self.folder.place_of(output[1])
            self._outputs.add(path)
            output[1] = self._address(path)

    def _address(self, path: Path) -> str:
        if path not in self._numbers:
            self._numbers[path] = len(self.files)
            self.files.append(path)
        ending = re.sub(r"[^A-Za-z0-9.]", "", path.suffix)
        return f"file/{self._numbers[path]}/it{ending}"

    async def page(self, request: Request) -> Response:
        serving = {"by": self.folder.by, "classes": await run_in_threadpool(classes_of, self.folder.items)}
        title, nonce = f"Correct {title_of(self.folder.out)}", new_token()
        text = await run_in_threadpool(page_of, self.folder.items, title, serving, nonce)
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY.format(nonce)})

    async def file(self, request: Request) -> Response:
        number = request.path_params["number"]
        path = self.files[number] if number < len(self.files) else None
        if path is None or not await run_in_threadpool(self._may_be_served, path):
            raise HTTPException(404, "There is no such file.")
        media_type = MEDIA_TYPES.get(path.suffix.lower())
        if "wav" in request.query_params:
            try:
                path, media_type = await run_in_threadpool(self.recordings.as_wav, path), "audio/wav"
            except (MediaError, OSError) as error:
                raise HTTPException(404, str(error)) from error
        headers = {}
        if path in self._outputs and path.suffix.lower() in (".html", ".svg", ".xml", ".hocr"):
            headers["Content-Disposition"] = "attachment"
        return FileResponse(path, media_type=media_type, headers=headers)

    def _may_be_served(self, path: Path) -> bool:
        """Whether it is a file within the folder, or holds media, whatever the folder's table names."""
        real, out = Path(os.path.realpath(path)), Path(os.path.realpath(self.folder.out))
        if not real.is_file():
            return False
        return real.is_relative_to(out) or (
            path not in self._outputs and kind_or_name(real).name not in (TEXT, ARCHIVE, OFFICE, UNKNOWN)
        )

    async def result(self, request: Request) -> Response:
        return await self._answer(self.folder.read, request.path_params["number"])

    async def save(self, request: Request) -> Response:
        try:
            asked = await request.json()
            place, text = asked["line"], asked["text"]
            checked, force = asked.get("checked", True), asked.get("force", False)
            before = asked.get("before")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HTTPException(400, "The request is not understood.") from error
        is_text = isinstance(text, str) and isinstance(before, str | None)
        if type(place) is not int or not is_text or {type(checked), type(force)} != {bool}:
            raise HTTPException(400, "The request is not understood.")
        number = request.path_params["number"]
        return await self._answer(self.folder.save, number, place, text, checked, force, before)

    async def next(self, request: Request) -> Response:
        return await self._answer(self.folder.lessons)

    async def undo(self, request: Request) -> Response:
        return await self._answer(self.folder.undo)

    async def _answer(self, do: Callable, *arguments) -> Response:
        """What a method of the folder returns, or what is wrong, as JSON."""
        try:
            return JSONResponse(await run_in_threadpool(do, *arguments))
        except Conflict as error:
            return JSONResponse({"conflict": str(error)}, 409)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        except (TriscribeError, OSError) as error:
            return JSONResponse({"error": str(error)}, 500)
