"""Advice where a newcomer is lost: scarce data, another case, a model that has learnt nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from decoders.alphabet import Alphabet
from pipelines import load
from pipelines.errors import DataError
from recipes.asr.options import AsrOptions
from recipes.data.manifest import Item
from recipes.learning.advice import not_learnt, too_little
from recipes.learning.fitting import fitted, nearest
from recipes.scoring.data_report import SPEECH


def spoken(count: int, seconds: float) -> list[Item]:
    return [Item(Path(f"{index}.wav"), "A", duration=seconds) for index in range(count)]


def test_little_data_is_told_with_the_ways_out():
    (line,) = too_little(spoken(60, 6.0), SPEECH)
    assert "0.1 hours" in line and "--load MODEL" in line and "--preset scarce" in line
    assert too_little(spoken(600, 6.0), SPEECH) == [], "an hour is enough"
    by_items = replace(SPEECH, least=100, least_unit="items")
    (line,) = too_little(spoken(99, 6.0), by_items)
    assert "99 items" in line and "less than 100 items" in line
    assert too_little(spoken(100, 6.0), by_items) == []
    assert too_little(spoken(1, 6.0), replace(SPEECH, least=None)) == []


def test_a_model_that_reads_nothing_is_told_what_to_check():
    lines = not_learnt(0.97, AsrOptions())
    assert "97 %" in lines[0] and any("--epochs 100" in line for line in lines)
    assert any("--layout" in line for line in lines) and any("--load" in line for line in lines)
    assert not_learnt(0.5, AsrOptions()) == []


def test_another_case_is_recognised_as_such():
    base = load("speech-en-an4")  # in capitals
    with pytest.raises(DataError, match="give --case upper to do the same, or --alphabet union"):
        fitted(base, Alphabet("abc"), [Item(Path("x.wav"), "abc")], "fail")
    with pytest.raises(DataError, match="add --alphabet union to teach them, or --alphabet new"):
        fitted(base, Alphabet("abé7"), [Item(Path("x.wav"), "abé7")], "fail")


@pytest.mark.parametrize("rule", ["union", "new"])
def test_new_letters_begin_as_the_nearest_ones(rule):
    base = load("speech-en-an4")
    items = [Item(Path("x.wav"), "aÉA1")]
    model = fitted(base, Alphabet("AaÉ1"), items, rule)
    old, new = base.decoder.project.weight, model.decoder.project.weight
    for symbol, start in (("A", "A"), ("a", "A"), ("É", "E")):
        row, learnt = model.alphabet.encode(symbol)[0], base.alphabet.encode(start)[0]
        assert torch.equal(new[row], old[learnt]), symbol
    assert not any(torch.equal(new[model.alphabet.encode("1")[0]], row) for row in old)


def test_the_nearest_symbol():
    alphabet = Alphabet("eEAß")
    found = {symbol: nearest(symbol, alphabet) for symbol in "eÉéaÀßz"}
    assert found == {"e": "e", "É": "E", "é": "e", "a": "A", "À": "A", "ß": "ß", "z": None}
