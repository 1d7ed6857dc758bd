"""decoders.compiled: compiled code is kept on disk, and done without where that is not possible."""

import numba
import numba.core.caching
import numpy as np
import pytest

from decoders.compiled import compiled


def add(one, other):
    return one + other


def test_where_nothing_can_be_written(monkeypatch):
    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(add, cache=True)
    assert compiled(add)(np.float64(1.5), 2) == 3.5


def test_it_is_compiled():
    assert compiled(add).py_func is add
    assert compiled(add)(1, 2) == 3


def test_compiling_is_announced_once(monkeypatch, capsys):
    monkeypatch.setattr("decoders.compiled._announcement.made", False)
    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "_locator_classes", [])  # keep nothing
    compiled(lambda number: number + 1)(1)
    compiled(lambda number: number + 2)(1)
    assert capsys.readouterr().err.count("\n") == 1
    numba.njit(lambda number: number + 3)(1)  # someone else's
    assert capsys.readouterr().err == ""
