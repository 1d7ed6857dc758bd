"""Kneser-Ney smoothing: what its definition says, and that it needs fewer bits than Witten-Bell."""

import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from decoders.alphabet import Alphabet
from decoders.language.kneser_ney import KneserNey
from decoders.language.ngrams import NGrams
from decoders.language.profile import KNESER_NEY, WITTEN_BELL, Language

LABELS = 6


def some(seed: int, count: int = 60) -> list[list[int]]:
    """Labels that depend on the two before."""
    chooser = random.Random(seed)
    texts = []
    for _ in range(count):
        text = [1, 2]
        for _ in range(chooser.randint(2, 12)):
            text.append(1 + (text[-1] * text[-2] + (chooser.random() < 0.3)) % (LABELS - 1))
        texts.append(text)
    return texts


def by_definition(stream: list[int], order: int, context: tuple[int, ...], label: int) -> float:
    """Chen & Goodman (1999), equation 26 and those around it, one n-gram at a time."""
    probability = 1 / LABELS
    for length in range(1, len(context) + 2):
        grams = Counter(tuple(stream[place : place + length]) for place in range(len(stream) - length + 1))
        if length < order:
            longer = {tuple(stream[place : place + length + 1]) for place in range(len(stream) - length)}
            preceded = Counter(gram[1:] for gram in longer)
            grams = Counter({gram: preceded.get(gram, 1) for gram in grams})
        n1, n2, n3, n4 = (sum(count == times for count in grams.values()) for times in (1, 2, 3, 4))
        taken = [0, 0.5, 0.5, 0.5]  # where these counts say nothing
        if n1 and n2:
            share = n1 / (n1 + 2 * n2)
            taken = [0, 1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 2 - 3 * share * n3 / n2]
            taken[3] = 3 - 4 * share * n4 / n3 if n3 else taken[2]
            taken = [min(max(each, 0), place) for place, each in enumerate(taken)]
        before = context[len(context) + 1 - length :]
        following = {gram: count for gram, count in grams.items() if gram[:-1] == before}
        if not following:
            return probability
        total = sum(following.values())
        left = sum(taken[min(count, 3)] for count in following.values())
        count = following.get((*before, label), 0)
        probability = (count - taken[min(count, 3)]) / total + left / total * probability
    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_the_definition(order):
    given = some(4, 200)
    model, stream = KneserNey.of(given, order, LABELS), [label for text in given for label in text]
    for context in [(), (1,), (2, 3), (1, 2, 3), (5, 5, 5)]:
        context = context[: order - 1]
        expected = [by_definition(stream, order, context, label) for label in range(LABELS)]
        assert np.exp(model.log_probs(context)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("given", [some(1), some(2, 2), [[1]], [[1, 2, 3, 4, 5]], [[1, 1, 1, 1]]])
def test_probabilities_add_up_to_one(given):
    model = KneserNey.of(given, 5, LABELS)
    for context in [(), (1,), (1, 2), (2, 2, 2, 2), (0, 5), (1, 1, 1)]:
        probabilities = np.exp(model.log_probs(context))
        assert probabilities.sum() == pytest.approx(1.0, abs=1e-5) and (probabilities > 0).all()


def test_unseen_texts_take_fewer_bits_than_with_witten_bell():
    lines = (Path(__file__).parents[3] / "docs/training.md").read_text(encoding="utf-8").splitlines()
    alphabet = Alphabet(sorted(set("".join(lines)) - {"\t"}))
    texts = [alphabet.encode(line) for line in lines if line]

    def bits(model):
        spent = 0.0
        for text in texts[1::4]:
            spent -= sum(model.log_probs(tuple(text[:place]))[label] for place, label in enumerate(text))
        return spent / math.log(2)

    given = texts[0::4] + texts[2::4]
    assert bits(KneserNey.of(given, 5, len(alphabet))) < 0.97 * bits(NGrams.of(given, 5, len(alphabet)))


def test_it_is_kept_in_a_file():
    alphabet = Alphabet(" ab")
    texts = ["ab ba", "bb ab ba", "ba"]
    language = Language.of(alphabet, alphabet.encode, texts, 3, smoothing=KNESER_NEY)
    header, data = language.to_file()
    again = Language.from_file(header, data, alphabet)
    assert again.smoothing == KNESER_NEY and type(again.ngrams) is KneserNey
    assert (again.ngrams.log_probs((2,)) == language.ngrams.log_probs((2,))).all()
    assert Language.from_file({**header, "smoothing": WITTEN_BELL}, data, alphabet).smoothing == WITTEN_BELL
    with pytest.raises(ValueError, match="its smoothing must be one of"):
        Language.from_file({**header, "smoothing": "Katz"}, data, alphabet)
    with pytest.raises(ValueError, match="needs all n-grams"):
        Language.of(alphabet, alphabet.encode, texts, 3, True, KNESER_NEY)
