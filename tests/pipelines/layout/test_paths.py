"""pipelines.layout.paths: the best of all paths, whatever is followed beside it."""

from itertools import product

import numpy as np

from pipelines.layout.paths import best_paths


def worth(path, gains: np.ndarray, stiffness: float) -> float:
    moves = sum(abs(one - other) for one, other in zip(path, path[1:], strict=False))
    return sum(gains[step, place] for step, place in enumerate(path)) - stiffness * moves


def test_no_path_is_better():
    rng = np.random.default_rng(0)
    for steps in (1, 2, 6):
        gains = rng.normal(size=(steps, 4))
        (found,) = best_paths([gains], 0.4)
        best = max(worth(path, gains, 0.4) for path in product(range(4), repeat=steps))
        assert np.isclose(worth(found.tolist(), gains, 0.4), best)


def test_paths_do_not_depend_on_each_other():
    rng = np.random.default_rng(1)
    gains = [rng.normal(size=(steps, 7)).astype(np.float32) for steps in (30, 1, 80, 30, 12)]
    together = best_paths(gains, 0.3)
    for each, path in zip(gains, together, strict=True):
        assert np.array_equal(best_paths([each], 0.3)[0], path) and len(path) == len(each)


def test_of_equal_places_the_first_is_taken():
    assert best_paths([np.zeros((3, 5))], 1.0)[0].tolist() == [0, 0, 0]
    assert best_paths([], 1.0) == []
