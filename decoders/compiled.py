"""Functions compiled to machine code by numba, which release the GIL."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numba
from numba.core import event


def compiled(function: Callable) -> Callable:
    """The function, compiled at its first call, which is announced, and cached on disk where possible."""
    try:
        dispatcher = numba.njit(function, nogil=True, cache=True)
    except RuntimeError:  # the package's folder is read-only and the user has no home
        dispatcher = numba.njit(function, nogil=True)
    _announcement.functions.add(function)
    return dispatcher


class _Announcement(event.Listener):
    """Says once that something is being compiled; silent where the cache on disk has it."""

    def __init__(self):
        self.functions: set[Callable] = set()
        self.made = False

    def on_start(self, event: event.Event) -> None:
        if not self.made and event.data["dispatcher"].py_func in self.functions:
            self.made = True
            print("compiling the search for this machine, about 10 s, only this once", file=sys.stderr)

    def on_end(self, event: event.Event) -> None:
        pass


_announcement = _Announcement()
event.register("numba:compile", _announcement)
