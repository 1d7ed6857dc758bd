"""Looks at files in a process of its own, so that one which hangs or crashes a decoder costs only itself."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

from pipelines.batch.engines.limits import PAGE, Limits, memory_of
from pipelines.errors import MediaError, ModelError, TriscribeError
from pipelines.media.remote import is_remote

T = TypeVar("T")
Ask = Callable[..., T]
"""Function of a function and its arguments, the first of which is a path: calls it somewhere."""

WATCH = 0.2  # seconds between two looks at memory
WAY_OUT = "convert the file or leave it out"


def directly(function: Callable[..., T], *arguments: object) -> T:
    """Call it in this process; an `Ask`."""
    return function(*arguments)


class _Exceeded(Exception):
    """A limit was; cause and way out."""


class Prober:
    """An `Ask` that calls functions in another process, which is started at once and imports what they need.

    Functions, arguments and what is returned or raised are pickled. A file that is no regular one, such as a
    pipe, can be read only once and is looked at in this process.

    Args:
        limits: on each call: the time of a page, and the memory of one worker.
    """

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        if sys.platform != "win32":
            self._start()

    def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        """What the function returns.

        Raises:
            MediaError: it hung, crashed, or needed too much memory.
            Whatever the function raises.
        """
        path = arguments[0]
        if not isinstance(path, (str, os.PathLike)) or not (os.path.isfile(path) or is_remote(path)):
            return function(*arguments)
        with self._lock:
            error = None
            for _ in range(2):  # something else may have ended the process
                try:
                    done, answer = self._ask((function, arguments))
                except (EOFError, OSError):
                    error = ending(self._end())
                    continue
                except _Exceeded as raised:
                    self._end()
                    error = raised.args
                    break
                if done:
                    return answer
                raise answer
        raise MediaError(path, *error)

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._end()

    def _ask(self, question: tuple) -> tuple[bool, object]:
        if self._process is None:
            self._start()
        self._connection.send(question)
        limit, most = self.limits.seconds(PAGE), self.limits.gigabytes(1)
        deadline = time.monotonic() + limit
        while not self._connection.poll(WATCH):
            if time.monotonic() > deadline:
                raise _Exceeded(
                    f"took longer than {limit:.0f} s", "give a higher --time-limit or leave it out"
                )
            if memory_of(self._process.pid) > most:
                raise _Exceeded(*too_much(most))
        return self._connection.recv()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; import pipelines.batch.routing; "  # what is asked most
            f"from pipelines.batch.engines.prober import answer; answer({theirs.fileno()}, {os.getpid()})"
        )
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", code], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
                )
            except OSError as error:
                ours.close()
                cause = f"cannot start a process ({error})"
                raise ModelError("triscribe", cause, "free memory, or give --workers 0") from error
        self._connection = Connection(ours.detach())

    def _end(self) -> int | None:
        """End the process; gives the signal that ended it, 0 if it ended by itself."""
        self._connection.close()
        process, self._process = self._process, None
        if process is None:
            return None
        try:
            status = process.wait(WATCH)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        return max(0, -status)


def ending(number: int | None) -> tuple[str, str]:
    """Why a process ended by itself: cause and way out."""
    if not number:
        return "its reader ended its process", WAY_OUT
    cause = f"its reader was killed by signal {number} ({signal.Signals(number).name})"
    if number == signal.SIGKILL:
        return cause, "if memory was short, give fewer --workers"
    return cause, WAY_OUT


def too_much(gigabytes: float) -> tuple[str, str]:
    """Why a process was ended that held more than so many: cause and way out."""
    return f"needed more than {gigabytes:.2g} GB of memory", "give a higher --memory-limit or leave it out"


def answer(descriptor: int, parent: int) -> None:
    """What the process does: call functions until the other end is closed.

    Args:
        descriptor: of the socket over which it is asked.
        parent: process with which it ends.
    """
    from pipelines.batch.engines.nursery import end_with

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the first process ends this one
    end_with(parent)
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            function, arguments = connection.recv()
            try:
                said = True, function(*arguments)
            except (TriscribeError, OSError, ValueError) as error:
                said = False, error
            except Exception as error:
                cause = f"its reader failed ({type(error).__name__}: {error})"
                said = False, MediaError(arguments[0], cause, WAY_OUT)
            connection.send(said)
