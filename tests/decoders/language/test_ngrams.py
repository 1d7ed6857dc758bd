"""decoders.language.ngrams: probabilities that add up, as the paper counts them."""

import lzma
import math
import random
from collections import Counter

import numpy as np
import pytest

from decoders.language.ngrams import LARGEST_KEY, SHORT, Mixture, NGrams

LABELS = 5


def texts(seed, count=20):
    chooser = random.Random(seed)
    return [chooser.choices(range(1, LABELS), [8, 4, 2, 1], k=chooser.randrange(1, 30)) for _ in range(count)]


def by_definition(texts, order, context, label, least):
    """Witten and Bell 1991, straight from the labels; what was met less often is as if it were new."""
    run = [each for text in texts for each in text]
    probability = 1 / LABELS
    for length in range(min(order - 1, len(context)) + 1):
        behind = context[len(context) - length :]
        met = [at for at in range(len(run) - length + 1) if tuple(run[at : at + length]) == behind]
        if length > SHORT and len(met) < least or not met:
            break
        followers = Counter(run[at + length] for at in met if at + length < len(run))
        kept = {each: times for each, times in followers.items() if length < SHORT or times >= least}
        total = len(met) if length else len(run)
        left_out = total - sum(kept.values())
        kinds = len(kept) + left_out
        probability = (kept.get(label, 0) + (kinds + left_out) * probability) / (total + kinds)
    return probability


@pytest.mark.parametrize("discreet", [True, False])
@pytest.mark.parametrize("order", [1, 2, 4, 5])
def test_probabilities_are_those_of_the_definition(order, discreet):
    given = texts(1)
    model = NGrams.of(given, order, LABELS, discreet)
    chooser = random.Random(2)
    for _ in range(60):
        context = tuple(chooser.choices(range(1, LABELS), [8, 4, 2, 1], k=chooser.randrange(0, 6)))
        expected = [by_definition(given, order, context, label, 1 + discreet) for label in range(LABELS)]
        assert np.exp(model.log_probs(context)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("discreet", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_probabilities_add_up_to_one(seed, discreet):
    model = NGrams.of(texts(seed), 5, LABELS, discreet)
    chooser = random.Random(seed)
    for _ in range(50):
        context = tuple(chooser.choices(range(1, LABELS), k=chooser.randrange(0, 7)))
        assert np.exp(model.log_probs(context)).sum() == pytest.approx(1, abs=1e-5)


def test_what_was_often_met_is_expected():
    model = NGrams.of([[1, 2, 3] * 10], 3, LABELS)
    assert model.log_probs((1, 2)).argmax() == 3
    assert math.exp(model.log_probs((1, 2))[3]) > 0.8


def test_only_as_much_of_a_context_counts_as_the_order_says():
    model = NGrams.of(texts(3), 3, LABELS)
    assert (model.log_probs((1, 4, 2, 1)) == model.log_probs((3, 3, 2, 1))).all()


def test_a_text_cannot_be_put_together_again():
    model = NGrams.of([[1, 2, 3, 4, 1, 3]], 5, LABELS, discreet=True)
    assert model.sizes[SHORT:] == [0, 0]
    assert np.exp(model.log_probs((1, 2, 3))).sum() == pytest.approx(1)


def test_n_grams_are_as_long_as_their_numbers_allow():
    model = NGrams.of([[1, 2, 1, 2]], 40, 5000)
    assert 1 < model.order < 40
    assert 5000**model.order < LARGEST_KEY


def test_packed_and_unpacked_they_are_the_same():
    model = NGrams.of(texts(4), 4, LABELS)
    again = NGrams.unpacked(model.packed(), model.sizes, model.total, LABELS)
    for context in [(), (1,), (2, 1), (1, 1, 3), (4, 4, 4)]:
        assert (model.log_probs(context) == again.log_probs(context)).all()


@pytest.mark.parametrize("order,labels", [(0, [1]), (3, [])])
def test_nothing_to_count(order, labels):
    with pytest.raises(ValueError, match="no n-grams of order"):
        NGrams.of([labels], order, LABELS)


def damaged():
    model = NGrams.of(texts(5), 3, LABELS)
    data, sizes, total = model.packed(), model.sizes, model.total
    bomb = lzma.compress(bytes(100_000_000))
    return {
        "cut off": (data[:40], sizes, total),
        "not compressed": (b"abc" * 20, sizes, total),
        "other sizes": (data, [*sizes[:-1], sizes[-1] + 1], total),
        "no sizes": (data, [], total),
        "negative": (data, [-1, 2], total),
        "too many": (data, [10**9], total),
        "none counted": (data, sizes, 0),
        "a bomb": (bomb, sizes, total),
        "out of order": (lzma.compress(bytes(12 * sum(sizes))), sizes, total),
    }


@pytest.mark.parametrize("kind", damaged())
def test_damaged_n_grams_are_refused(kind):
    data, sizes, total = damaged()[kind]
    with pytest.raises(ValueError):
        NGrams.unpacked(data, sizes, total, LABELS)


def test_joined_n_grams_are_those_of_both_texts_with_labels_of_the_first():
    own, other = [1, 2, 1, 2, 3], [3, 1, 1, 2, 4]  # whose 1, 2, 3 are 2, 1, 3 here, and 4 is nothing
    ids = np.array([-1, 2, 1, 3, -1])
    joined = NGrams.of([own], 3, 4).joined(NGrams.of([other], 3, 5), ids)
    renamed = [int(ids[label]) for label in other]
    for length, (keys, times) in enumerate(joined.counts, start=1):
        expected = Counter()
        for labels in (own, renamed):
            grams = (tuple(labels[place : place + length]) for place in range(len(labels) + 1 - length))
            expected.update(gram for gram in grams if min(gram) >= 0)
        found = {
            tuple(key // 4**place % 4 for place in reversed(range(length))): count
            for key, count in zip(keys.tolist(), times.tolist(), strict=True)
        }
        assert found == dict(expected)
    assert joined.total == 9 and np.exp(joined.log_probs((1,))).sum() == pytest.approx(1)


def test_a_mixture_is_the_mean():
    models = NGrams.of(texts(6), 2, LABELS), NGrams.of(texts(7), 4, LABELS)
    mixed = Mixture(models)
    assert mixed.order == 4
    for context in [(), (1, 2), (3, 2, 1)]:
        mean = np.mean([np.exp(model.log_probs(context)) for model in models], axis=0)
        assert np.exp(mixed.log_probs(context)) == pytest.approx(mean, rel=1e-5)
