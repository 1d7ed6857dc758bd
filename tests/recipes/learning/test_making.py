"""recipes.learning.making: batches made by other processes are those that are made here."""

import os
from functools import partial

import pytest
import torch

from recipes.learning.making import made_ahead, workers_for

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


def made(number: int) -> tuple:
    return torch.full((2, 3), float(number)), [[number]], None


def failing() -> tuple:
    raise ValueError("no batch here")


@needs_fork
@pytest.mark.parametrize("workers", [1, 2])
def test_batches_come_in_their_order_from_any_number_of_processes(workers):
    with made_ahead([partial(made, number) for number in range(7)], False, workers) as batches:
        found = list(batches)
    assert [batch[1] for batch in found] == [[[number]] for number in range(7)]
    assert all(torch.equal(batch[0], made(number)[0]) for number, batch in enumerate(found))
    assert all(isinstance(batch, tuple) and batch[2] is None for batch in found)


@needs_fork
def test_processes_make_them_unless_a_network_has_to():
    for laborious, others in ((False, True), (True, False)):
        with made_ahead([os.getpid] * 3, laborious, 1) as made_by:
            assert all((process != os.getpid()) == others for process in made_by)


@needs_fork
def test_what_goes_wrong_in_a_process_is_raised_here():
    with pytest.raises(ValueError, match="no batch here"), made_ahead([failing], False, 1) as batches:
        list(batches)


@needs_fork
def test_batches_may_be_left_unread():
    with made_ahead([partial(made, number) for number in range(50)], False, 2) as batches:
        assert next(batches)[1] == [[0]]


def test_a_cpu_needs_no_processes():
    assert workers_for(None, "cpu") == 0
    if hasattr(os, "fork"):
        assert workers_for(None, "cuda") == min(16, len(os.sched_getaffinity(0)) - 1)
        assert workers_for(3, "cpu") == 3
