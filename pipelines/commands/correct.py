"""Correct results by hand, on a page in the browser."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from pipelines.commands.arguments import UsageError, parse
from pipelines.errors import DataError, printable


@dataclass(frozen=True)
class Correct:
    """Correct the results in a folder by hand, on a page in the browser.

    The page is served on this computer only, until Ctrl-C.

    Corrections are written at once into every output, and `batch` keeps them.
    """

    out: Positional[Path]
    """Output folder of `triscribe batch`, or of another command with json among its formats."""
    name: str = ""
    """Who corrects (default: the name of the user)."""
    port: int = 0
    """Port of the page; 0 takes a free one."""
    browser: bool = False
    """Open the page in the browser."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, _ = parse(Correct, "correct", arguments)
    if not 0 <= command.port < 65536:
        raise UsageError(f"--port is a number from 0 to 65535, not {command.port}")
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        cause = "needs Starlette and uvicorn, which are not installed"
        raise DataError("triscribe correct", cause, 'pip install "triscribe[correct]"') from error
    from pipelines.correcting.folder import Folder
    from pipelines.correcting.server import HOST, application, new_token

    folder, token = Folder(command.out, command.name or None), new_token()
    app = application(folder, token)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, command.port))
            listening.listen()  # from now on the address works
        except OSError as error:
            raise UsageError(f"--port {command.port} cannot be used ({error.strerror})") from error
        address = f"http://{HOST}:{listening.getsockname()[1]}/{token}/"
        print(f"{len(folder.items)} results to correct as {printable(folder.by)}: {address}", flush=True)
        if command.browser:
            import webbrowser

            webbrowser.open(address)

        class Server(uvicorn.Server):
            def handle_exit(self, sig, frame):
                """Ctrl-C is the way to end it: it is not raised again afterwards."""
                self.force_exit, self.should_exit = self.should_exit, True

        settings = {"log_level": "warning", "access_log": False, "timeout_graceful_shutdown": 2}
        Server(uvicorn.Config(app, lifespan="on", **settings)).run(sockets=[listening])
    for problem in app.state.pages.problems:
        print(printable(f"triscribe: {problem}"))
    return 1 if app.state.pages.problems else 0
