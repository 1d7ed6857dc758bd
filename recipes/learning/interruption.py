"""Ctrl-C and SIGTERM: a step in progress is finished first, a second signal ends the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator


class Interrupted(KeyboardInterrupt):
    """A run was interrupted.

    Args:
        message: what is kept, and how to go on.
        code: exit code of the command.
    """

    def __init__(self, message: str = "", code: int = 130):
        super().__init__(message)
        self.code = code


class Interruption:
    """While entered, SIGINT and SIGTERM raise `Interrupted`, but not inside `held()`: there they wait.

    Nothing is changed outside the main thread, where Python delivers no signals.

    Attributes:
        torn: whether a held block was left by another exception, so that what it changes is half changed.
    """

    signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.torn = False
        self._holding, self._pending = False, None
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in self.signals:
                self._handlers[number] = signal.signal(number, self._take)
            self._reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
            self._outer = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(self._reader,), name="signals", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._handlers:
            signal.set_wakeup_fd(self._outer)
            os.close(self._writer)  # which ends the watching thread
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers = {}

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A block that is finished before a signal interrupts."""
        self._holding = True
        try:
            yield
        except BaseException:
            self.torn = True
            raise
        finally:
            self._holding = False
        if self._pending is not None:
            self._raise()

    def _take(self, number: int, _: object) -> None:
        self._pending = number
        if not self._holding:
            self._raise()

    def _raise(self) -> None:
        number, self._pending = self._pending, None
        raise Interrupted(code=128 + number)

    def _watch(self, reader: int) -> None:
        """Python runs signal handlers between two operations of the main thread, which a long one delays."""
        count = 0
        while received := os.read(reader, 1):
            if received[0] in self.signals:
                count += 1
                if count > 1:
                    os._exit(128 + received[0])
                print("\ninterrupted: finishing this step; once more to stop at once", file=sys.stderr)
        os.close(reader)
