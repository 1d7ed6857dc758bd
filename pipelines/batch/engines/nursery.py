"""A process that imports what readers need once, and forks workers: each then starts in milliseconds.

It ends its workers and itself when the process that started it is gone, however that ended.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

from pipelines.batch.engines.serving import measure, prepare, serve

BORN, GONE = "born", "gone"
FEW, MANY = b"+", b"*"  # how many files there are to read, roughly
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
SHAPES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}  # whose compiled code is kept
PATIENCE = 10.0  # seconds in which it is to end


class Nursery:
    """Starts workers from another process.

    Args:
        threads: of each worker.
    """

    def __init__(self, threads: int):
        self._control, theirs = socket.socketpair()
        self._heard = b""
        self._used = False
        self._gone: dict[int, int] = {}
        code = (
            f"import os, sys; sys.path[:] = {sys.path!r}; "
            f"from pipelines.batch.engines.nursery import rear; rear({theirs.fileno()}, {threads}); "
            "os._exit(0)"  # there is nothing that the interpreter would have to tidy up, for half a second
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**SHAPES, **os.environ, **dict.fromkeys(THREADS, str(threads))},
            )

    def bear(self, many: bool = False) -> tuple[int, Connection]:
        """Start a worker; gives its process and the connection to it.

        Args:
            many: whether there is enough to read for measuring the faster precision.

        Raises:
            OSError: the nursery has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [MANY if many else FEW], [theirs.fileno()])
        self._used = True
        while True:
            name, process, *_ = self._listen(None).split()
            if name == BORN:
                return int(process), Connection(ours.detach())

    def status(self, process: int) -> int | None:
        """Signal that ended a worker, or 0 if it ended by itself; None if that is not known."""
        with contextlib.suppress(OSError):
            while process not in self._gone:
                self._listen(PATIENCE)
        return self._gone.pop(process, None)

    def close(self) -> None:
        """End it and its workers."""
        self._control.close()
        try:
            self._process.wait(PATIENCE if self._used else 0.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self, patience: float | None) -> str:
        self._control.settimeout(patience)
        while b"\n" not in self._heard:
            told = self._control.recv(4096)
            if not told:
                raise ConnectionResetError("the process that starts workers has ended")
            self._heard += told
        line, self._heard = self._heard.split(b"\n", 1)
        name, *numbers = line.decode("ascii").split()
        if name == GONE:
            self._gone[int(numbers[0])] = int(numbers[1])
        return line.decode("ascii")


def rear(control: int, threads: int) -> None:
    """What the process does: fork a worker when asked for one, and tell which have ended.

    Args:
        control: descriptor of the socket over which it is asked.
        threads: of each worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the first process ends the others
    asked = socket.socket(fileno=control)
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    prepare()
    gc.freeze()  # what is never collected is never copied either
    workers: set[int] = set()
    try:
        while True:
            ready, _, _ = select.select([asked, woken], [], [])
            if woken in ready:
                woken.recv(4096)
                _tell_gone(asked, workers)
            if asked in ready:
                told, given, *_ = socket.recv_fds(asked, 1, 1)
                if not told:
                    return
                measure(told == MANY)
                worker = _fork(given[0], (asked, woken, waking), threads)
                workers.add(worker)
                asked.sendall(f"{BORN} {worker}\n".encode("ascii"))
    except OSError:
        return  # whoever asked is gone
    finally:
        signal.set_wakeup_fd(-1)
        for end in (lambda worker: os.kill(worker, signal.SIGKILL), lambda worker: os.waitpid(worker, 0)):
            for worker in workers:
                with contextlib.suppress(OSError):
                    end(worker)


def _tell_gone(asked: socket.socket, workers: set[int]) -> None:
    while workers:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        workers.discard(process)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        asked.sendall(f"{GONE} {process} {number}\n".encode("ascii"))


def _fork(descriptor: int, inherited: tuple[socket.socket, ...], threads: int) -> int:
    parent = os.getpid()
    process = os.fork()
    if process:
        os.close(descriptor)
        return process
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in inherited:
            each.close()
        end_with(parent)
        serve(Connection(descriptor), threads)
        status = 0
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(status)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends; elsewhere it ends with its next message."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
