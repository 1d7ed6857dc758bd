"""A sample of `benchmarks/hostile.py`: damaged files give a result or one of our errors, soon."""

import resource

import pytest

from benchmarks.hostile import OUTCOMES, corpus, outcome, whole_files

SECONDS = 30  # of the processor; the slowest take a few tenths


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", sorted(whole_files()))
def test_whole_files_are_read(tmp_path, name):
    path = tmp_path / f"00000{name}"
    path.write_bytes(whole_files()[name])
    assert outcome(path) == ("result", "")


def test_damaged_files_end_in_a_result_or_an_error_of_ours(tmp_path):
    found = {}
    for name, content in corpus(110, seed=7):
        path, before = tmp_path / name, spent()
        path.write_bytes(content)
        found[name] = outcome(path)
        assert spent() - before < SECONDS, name
    assert {each: why for each, why in found.items() if why[0] not in OUTCOMES[:2]} == {}
    assert {kind for kind, _ in found.values()} == set(OUTCOMES[:2])


def test_the_same_seed_gives_the_same_files():
    assert list(corpus(44, seed=3)) == list(corpus(44, seed=3)) != list(corpus(44, seed=4))
