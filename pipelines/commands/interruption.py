"""Ctrl-C, or SIGTERM, ends a command soon, whatever it is busy with."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

INTERRUPTED = "triscribe: interrupted; finished files are kept"
GRACE = 1.0  # seconds that threads have to stop by themselves


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within it, Ctrl-C and SIGTERM raise KeyboardInterrupt, and `GRACE` seconds later end the process.

    The exception waits for the native code that the main thread is in, and on its way out for threads that
    decode or compute; a thread that is woken by the signal itself does not. Outputs are written to temporary
    files and renamed, so that none is left half written.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_after_interrupt, args=(woken,), name="interruption", daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        raise  # the thread goes on: Python waits for others before it exits
    except BaseException:
        waking.close()
        raise
    else:
        waking.close()
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGTERM, handler)


def _end_after_interrupt(woken: socket.socket) -> None:
    """Wait for Ctrl-C, or for the other end to be closed."""
    with woken:
        while number := woken.recv(1):
            if number[0] in (signal.SIGINT, signal.SIGTERM):
                time.sleep(GRACE)
                with contextlib.suppress(OSError, ValueError):
                    print(INTERRUPTED, file=sys.stderr, flush=True)
                os._exit(130)
