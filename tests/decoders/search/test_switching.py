"""decoders.search.switching: the best path where changes cost, and its runs as segments."""

import itertools

import numpy as np
import pytest

from decoders.search.switching import segments, steady


@pytest.mark.parametrize("switch", [0.0, 0.7, 2.5])
def test_steady_is_the_best_path(switch):
    probabilities = np.random.default_rng(0).dirichlet(np.full(3, 0.5), 6)
    logs = np.log(probabilities)

    def score(path):
        changes = sum(one != other for one, other in itertools.pairwise(path))
        return sum(logs[time, label] for time, label in enumerate(path)) - switch * changes

    best = max(map(score, itertools.product(range(3), repeat=6)))
    assert score(tuple(steady(probabilities, switch))) == pytest.approx(best)


def test_without_a_cost_it_is_the_best_label_of_each_frame():
    probabilities = np.random.default_rng(1).dirichlet(np.ones(4), 30)
    assert (steady(probabilities, 0.0) == probabilities.argmax(axis=1)).all()


def test_segments_are_runs_of_a_label_that_is_not_0():
    probabilities = np.eye(3)[[0, 1, 1, 2, 1, 0, 1]] * 0.6 + np.linspace(0.1, 0.16, 7)[:, None]
    found = segments(probabilities, 0.0)
    assert (found.ids, found.starts, found.ends) == ([1, 2, 1, 1], [1, 3, 4, 6], [3, 4, 5, 7])
    assert found.confidences == pytest.approx([0.715, 0.73, 0.74, 0.76])
    assert segments(probabilities, 99.0).ids == [1], "changes cost too much"
    assert segments(np.eye(3)[[0, 0]], 1.0).ids == []
