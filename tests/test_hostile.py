"""A sample of `python -m benchmarks.hostile`: hostile input gives a result or one of our errors, soon."""

import resource
from functools import partial

import pytest

from benchmarks.hostile.corpus import all_subjects, corpus
from benchmarks.hostile.limits import OUTCOMES, outcome
from benchmarks.hostile.subjects import Subject, data_subjects, media_subjects, write

SECONDS = 30  # of the processor; the slowest take a few tenths
UNTRIED = "model", "outputs"  # they load models, which takes long, or change what holds for the whole process


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    return [each for each in all_subjects() if not each.group.startswith(UNTRIED)]


@pytest.mark.parametrize("subject", [*media_subjects(), *data_subjects()], ids=lambda each: each.group)
def test_whole_files_are_read(tmp_path, subject):
    assert outcome(partial(subject.read, write(subject.files, tmp_path))) == ("result", "")


def test_damaged_files_end_in_a_result_or_an_error_of_ours(tmp_path, subjects):
    found = {}
    for number, (subject, files) in enumerate(corpus(2 * len(subjects), 7, subjects)):
        folder, before = write(files, tmp_path / str(number)), spent()
        found[f"{number} {subject.name}"] = outcome(partial(subject.read, folder))
        assert spent() - before < SECONDS, subject.name
    assert {each: why for each, why in found.items() if why[0] not in OUTCOMES[:2]} == {}
    assert {kind for kind, _ in found.values()} == set(OUTCOMES[:2])


def test_the_same_seed_gives_the_same_files(subjects):
    def contents(seed: int) -> list:
        return [files for _, files in corpus(len(subjects), seed, subjects)]

    assert contents(3) == contents(3) != contents(4)
