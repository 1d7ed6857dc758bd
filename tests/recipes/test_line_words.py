"""recipes.line_words: words found, cut out and put into other lines, on drawn letters of known places."""

import numpy as np
import pytest
import torch

from recipes.line_words import gaps, words
from recipes.reading_task import Sample

STRIDE, SPACE, A, B = 4, 1, 2, 3


def written(text: str) -> tuple[np.ndarray, torch.Tensor, list[int]]:
    """A letter or space is 8 columns wide; what a model that knows it reads, and its labels."""
    labels = [{" ": SPACE, "a": A, "b": B}[letter] for letter in text]
    line = np.zeros((8 * len(text), 24), np.uint8)
    log_probs = torch.full((2 * len(text), 4), -9.0)
    log_probs[:, 0] = -1.0
    for place, label in enumerate(labels):
        line[8 * place : 8 * place + 7, 8:16] = 0 if label == SPACE else 255
        log_probs[2 * place, label] = -0.1
    return line, log_probs, labels


def test_words_part_at_the_emptiest_place():
    line, log_probs, labels = written("ab ba b")
    first, second = gaps(line, log_probs, labels, SPACE, STRIDE)
    assert 16 <= first < 24 and 40 <= second < 48


@pytest.mark.parametrize("text", [" ab", "ab ", "a  b", " "])
def test_spaces_at_ends_and_beside_each_other(text):
    line, log_probs, labels = written(text)
    found = gaps(line, log_probs, labels, SPACE, STRIDE)
    assert len(found) == text.count(" ") and found == sorted(found)
    assert all(0 <= gap < len(line) for gap in found)


def test_too_few_frames_for_the_text():
    line, log_probs, labels = written("ab ba")
    assert gaps(line, log_probs[:3], labels, SPACE, STRIDE) == [16]


def test_a_line_falls_apart_into_words_and_nothing_is_lost():
    texts = [[2, 3, 1, 3, 2, 1, 3], [2, 2], [2, 1]]
    lines = [Sample(*it, "x") for it in zip((0, 1, 2), (56, 16, 9), texts, strict=True)]
    parts = words(lines, SPACE, [20, 44, 7])
    assert [[part.labels for part in line] for line in parts] == [[[2, 3], [3, 2], [3]], [[2, 2]], [[2], []]]
    for line, whole in zip(parts, lines, strict=True):
        ends = [part.first + part.length for part in line]
        assert [part.first for part in line] == [0, *ends[:-1]] and ends[-1] == whole.length
        assert {(part.index, part.group) for part in line} == {(whole.index, whole.group)}
