"""Functions compiled to machine code, which other threads run beside."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(function: Callable) -> Callable:
    """The function, compiled when it is first called, and kept on disk where there is a place to write to."""
    try:
        return numba.njit(function, nogil=True, cache=True)
    except RuntimeError:  # installed where nobody may write, for a user without a home
        return numba.njit(function, nogil=True)
