"""recipes.handwriting.pieces: lines cut in pieces and put together anew, on drawn letters of known places."""

import random

import numpy as np
import pytest
import torch

from recipes.handwriting.pieces import Capital, Pieces, cut_out, cuts, drawn, spliced
from recipes.learning.reading_task import Sample

STRIDE, WIDTH = 4, 8
LABELS = {" ": 1, "a": 2, "b": 3, "c": 4}
SPACE = [LABELS[" "]]


def encoded(text: str) -> list[int]:
    return [LABELS[letter] for letter in text]


def written(text: str) -> tuple[np.ndarray, torch.Tensor, list[int]]:
    """A letter or space is 8 columns wide; what a model that knows it reads, and its labels."""
    line = np.zeros((WIDTH * len(text), 24), np.uint8)
    log_probs = torch.full((2 * len(text), 5), -9.0)
    log_probs[:, 0] = -1.0
    for place, label in enumerate(encoded(text)):
        line[WIDTH * place : WIDTH * place + 7, 8:16] = 0 if label in SPACE else 255
        log_probs[2 * place, label] = -0.1
    return line, log_probs, encoded(text)


def pieces_of(*texts: str, near: int = 10) -> Pieces:
    """Of lines whose letters, and spaces, are 8 columns wide."""
    lines = [
        Sample(index, WIDTH * len(text), encoded(text), f"page {index}") for index, text in enumerate(texts)
    ]
    places = [WIDTH * place for text in texts for place in range(len(text) + 1)]
    return Pieces(lines, texts, places, near)


def said(parts: list[Sample], texts: tuple[str, ...]) -> str:
    """What the columns of the parts show."""
    return "".join(
        texts[part.index][part.first // WIDTH : (part.first + part.length) // WIDTH] for part in parts
    )


def test_letters_part_between_them_and_words_in_the_middle_of_their_gap():
    line, log_probs, labels = written("ab ba b")
    found = cuts(line, log_probs, labels, SPACE, STRIDE)
    assert len(found) == len(labels) + 1 and found == sorted(found)
    assert found[0] == 0 and found[-1] == len(line)
    assert abs(found[1] - 8) <= 2 and abs(found[4] - 32) <= 2
    for space, between in ((2, range(15, 25)), (5, range(39, 49))):
        assert found[space] == found[space + 1] in between


@pytest.mark.parametrize("text", [" ab", "ab ", "a  b", " ", "a"])
def test_spaces_at_ends_and_beside_each_other(text):
    line, log_probs, labels = written(text)
    found = cuts(line, log_probs, labels, SPACE, STRIDE)
    assert len(found) == len(text) + 1 and found == sorted(found)
    assert found[0] == 0 and found[-1] == len(line)


def test_too_few_frames_for_the_text():
    line, log_probs, labels = written("ab ba")
    assert cuts(line, log_probs[:3], labels, SPACE, STRIDE) == [0, 8, 16, 24, 32, 40]


def test_a_line_falls_apart_into_words():
    texts = ("ab ba b", "aa", "a ")
    pieces = pieces_of(*texts)
    for number, text in enumerate(texts):
        words = pieces.words(number)
        assert [word.labels for word in words] == [encoded(word) for word in text.split(" ")]
        assert [said([word], texts) for word in words] == text.split(" ")
        assert {(word.index, word.group) for word in words} == {(number, f"page {number}")}


def test_no_column_of_a_line_is_lost_between_its_words():
    texts = ("ab ba b", "aa", "a ")
    written_lines = [written(text) for text in texts]
    places = [cuts(line, log_probs, labels, SPACE, STRIDE) for line, log_probs, labels in written_lines]
    lines = [Sample(index, len(line), labels, "x") for index, (line, _, labels) in enumerate(written_lines)]
    pieces = Pieces(lines, texts, [place for line in places for place in line], near=10)
    parts = [pieces.words(number) for number in range(3)]
    assert [[part.labels for part in line] for line in parts] == [[[2, 3], [3, 2], [3]], [[2, 2]], [[2], []]]
    for line, whole in zip(parts, lines, strict=True):
        ends = [part.first + part.length for part in line]
        assert [part.first for part in line] == [0, *ends[:-1]] and ends[-1] == whole.length
        assert {(part.index, part.group) for part in line} == {(whole.index, whole.group)}


def test_half_of_the_words_are_those_of_lines_near():
    texts = ("aa aa aa aa", "b", "c")
    pieces = pieces_of(*texts, near=1)
    seen = [spliced(pieces, 0, SPACE, random.Random(seed)) for seed in range(200)]
    words = ["".join(said([part], texts) for part in line) for line in seen]
    assert not any("c" in each for each in words), "too far away"
    assert 0.15 < sum(each.count("b") for each in words) / 800 < 0.35, "half of them, from either line"
    for line in seen:
        assert [part.labels[:1] == SPACE for part in line] == [False, True, True, True]


def test_a_text_is_composed_of_pieces_that_show_it():
    texts = ("abc cab", "bca", "cc ba")
    pieces = pieces_of(*texts)
    for text in ("abba", "cab bac", "a", "bb cc aa", "abc cab"):
        for seed in range(20):
            parts = pieces.composed(text, 1, random.Random(seed))
            assert said(parts, texts) == text
            assert [label for part in parts for label in part.labels] == encoded(text)


def test_pieces_come_from_behind_the_letter_that_they_follow_and_from_lines_near():
    texts = ("ab", "cb", "ab", "bb")
    near, far = pieces_of(*texts, near=1), pieces_of(*texts, near=3)
    found = [near.composed("cb", 0, random.Random(seed))[-1] for seed in range(50)]
    assert {part.index for part in found} == {1}, "b as it follows c, though a line nearer has it behind a"
    lines = {part.index for seed in range(50) for part in far.composed("ab", 0, random.Random(seed))}
    assert {0, 2} <= lines
    assert near.composed("bb", 0, random.Random(1)), "as last resort from anywhere"
    assert pieces_of("ab").composed("abc", 0, random.Random(1)) is None, "c is nowhere"


def test_whole_words_are_cut_out_of_a_text():
    text = "one two three four five six seven eight nine ten"
    found = {cut_out(text, 14, random.Random(seed)) for seed in range(100)}
    assert len(found) > 4
    assert all(f" {each} " in f" {text} " and 0 < len(each) <= 14 for each in found)
    assert cut_out("", 10, random.Random(1)) == ""
    assert cut_out("one two", 2, random.Random(1)) == "", "no word is as short"
    assert {cut_out("abcd", 3, random.Random(seed)) for seed in range(20)} == {"abc", "bcd"}


# Small capitals


def capitals_of(*texts: str) -> Pieces:
    """As `pieces_of`, of any letters; labels are their code points."""
    lines = [
        Sample(index, WIDTH * len(text), [ord(letter) for letter in text], None)
        for index, text in enumerate(texts)
    ]
    places = [WIDTH * place for text in texts for place in range(len(text) + 1)]
    return Pieces(lines, texts, places, near=0)


def test_small_capitals_show_capitals_and_say_the_text(monkeypatch):
    monkeypatch.setattr("recipes.handwriting.pieces.KEPT", 0.0)
    texts = ("Ab", "B1", "c É", "Ça ßo")
    pieces = capitals_of(*texts)
    for text, shown in (("ab Ba", "ABBA"), ("b1c", "B1c"), ("éç", "ÉÇ"), ("ß", "ß")):
        labels = [ord(letter) for letter in text]
        line = pieces.small_capitals(text, labels, 48, random.Random(1))
        assert [piece.labels for piece in line] == [[label] for label in labels]
        letters = [piece for piece in line if piece.size]
        assert said(letters, texts) == shown
        small = [letter.upper() != letter and letter.upper() in "ABÉÇ" for letter in text if letter != " "]
        assert [piece.size < 1 for piece in letters] == small
        assert len({piece.size for piece in letters if piece.size < 1}) <= 1, "all of one size"
    gap = pieces.small_capitals("a b", [1, 2, 3], 48, random.Random(2))[1]
    assert gap.size == 0 and 0.2 * 48 - 1 <= gap.length <= 0.5 * 48 + 1
    assert pieces.small_capitals("ax", [1, 2], 48, random.Random(1)) is None, "x is nowhere"


def test_some_letters_stay_small(monkeypatch):
    monkeypatch.setattr("recipes.handwriting.pieces.KEPT", 0.5)
    texts = ("AaBb",)
    pieces, hands = capitals_of(*texts), map(random.Random, range(40))
    lines = [pieces.small_capitals("abab", [1] * 4, 48, hand) for hand in hands]
    assert {said(line, texts) for line in lines} == {"ABAB", "aBaB", "AbAb", "abab"}


def test_a_small_capital_stands_on_the_line_without_its_gaps():
    line = np.zeros((60, 48), np.uint8)
    line[:, 20:32] = 200  # small letters all along
    line[20:40] = 0
    line[25:35, 8:32] = 255  # between gaps, a capital of 10 columns from row 8 down to the foot, 32
    whole, small = (drawn(line, Capital(0, 20, [1], None, 20, size)) for size in (1.0, 0.5))
    assert whole.shape == (14, 48) and (whole[2:12] == line[25:35]).all() and not whole[[0, 1, -2, -1]].any()
    assert small.shape == (9, 48) and not small[[0, -1]].any()
    rows = np.flatnonzero(small.max(axis=0) > 100)
    assert abs(rows[0] - 20) <= 2 and abs(rows[-1] - 31) <= 1
    assert drawn(line, Capital(0, 7, [1], None, size=0.0)).shape == (7, 48)
    assert not drawn(line, Capital(0, 7, [1], None, size=0.0)).any()
    lost = Capital(0, 0, [1], None, 30, 0.5)  # a letter whose place was not found
    assert drawn(line, lost).shape == (0, 48)
