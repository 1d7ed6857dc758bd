"""Runs what may go wrong in a child process, with limits of processor time and memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SECONDS, MEMORY = 10, 1 << 30  # of the processor and bytes, beyond those that the process has
OUTCOMES = ("result", "our error", "foreign exception", "time-out", "over memory", "signal")
FOREIGN = "Traceback (most", "Exception ignored", "Segmentation"  # on standard error


def outcome(attempt: Callable[[], object]) -> tuple[str, str]:
    """What comes of it here: one of `OUTCOMES`, and what was raised."""
    from pipelines.commands.arguments import UsageError
    from pipelines.errors import TriscribeError

    try:
        attempt()
    except (TriscribeError, UsageError) as error:
        return ("our error", str(error)) if "\n" not in str(error) else ("foreign exception", repr(error))
    except MemoryError as error:
        return "over memory", repr(error)
    except SystemExit as error:
        return ("result", "") if error.code in (0, None) else ("our error", f"exit {error.code}")
    except Exception as error:
        return "foreign exception", repr(error)[:500]
    return "result", ""


def bounded_outcome(attempt: Callable[[], object]) -> tuple[str, str]:
    """The same in a child process; what it writes to standard error must not speak of Python either."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.TemporaryFile() as told:
        child = context.Process(target=_tell, args=(attempt, theirs, told.fileno()))
        child.start()
        theirs.close()
        found = None
        with contextlib.suppress(EOFError):
            found = ours.recv() if ours.poll(6 * SECONDS) else ("time-out", "waits")
        if found == ("time-out", "waits"):
            child.kill()
        child.join()
        if found is None:
            number = -(child.exitcode or 0)
            late = number in (signal.SIGXCPU, signal.SIGKILL)
            found = ("time-out", "") if late else ("signal", str(number))
        told.seek(0)
        text = told.read(100_000).decode("utf-8", "replace")
    if any(word in text for word in FOREIGN):
        return "foreign exception", text[-500:]
    return found


def _tell(attempt: Callable[[], object], pipe, told: int) -> None:
    os.dup2(told, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115
    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS, used + SECONDS + 1))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    pipe.send(outcome(attempt))
    sys.stderr.flush()
