"""decoders.language.lexicon: what each text costs by its words, one after the other."""

import itertools
import math

import pytest
import torch

import decoders.search.prefix_beam
from decoders.language.fusion import Fusion
from decoders.language.lexicon import Lexicon
from decoders.search.prefix_beam import PrefixBeam

SPACE, A, B, MARK = 1, 2, 3, 4
NUM_LABELS = 5
COST = 2.0
WORDS = [[A, B], [A, B, A], [B], [A, MARK, B]]


def lexicon(cost=COST, letters=(A, B), words=WORDS):
    return Lexicon(words, letters, cost, NUM_LABELS)


def nats(words: Lexicon, text) -> float:
    """Of a whole text, label after label."""
    total, place = 0.0, words.start
    for label in text:
        total += float(words.gains(place)[label])
        place = words.behind(place, label)
    return total + words.ended(place)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ([], 0),
        ([A, B], 0),
        ([A, B, A, SPACE, B], 0),
        ([SPACE, MARK, B, MARK, MARK], 0),
        ([A], 1),
        ([A, SPACE, A, B], 1),
        ([A, A, A, A], 1),
        ([A, A, SPACE, B, B, MARK, A, A, B], 3),
        ([A, B, B, SPACE, A, B], 1),
        ([A, MARK, B], 0),  # one word, with a mark in it
        ([B, MARK, A, B], 0),  # two words with a mark between them
        ([A, MARK, A], 1),  # begun like one word, and gone on as none
        ([A, MARK, SPACE], 1),  # the mark alone may stand there, but not this letter
    ],
)
def test_each_word_that_is_not_on_the_list_costs_once(text, unknown):
    assert nats(lexicon(), text) == -COST * unknown
    assert nats(lexicon(math.inf), text) == (-math.inf if unknown else 0.0)
    assert nats(lexicon(0.0), text) == 0.0


def test_a_word_may_go_on_with_what_ends_another():
    both = [[A], [A, MARK, B, B], [B, A]]
    words = lexicon(words=both)
    assert nats(words, [A, MARK, B, B]) == 0.0, "one word of the list"
    assert nats(words, [A, MARK, B, A]) == 0.0, "two of them"
    assert nats(words, [A, MARK, B]) == -COST


def test_in_scripts_without_spaces_words_follow_each_other():
    words = lexicon(letters=(), words=[[A, B], [A, B, A], [B, B]])
    assert nats(words, [A, B, A, B]) == nats(words, [A, B, A, A, B]) == nats(words, [A, B, B, B]) == 0.0
    assert nats(words, [MARK, A, B]) == -COST
    assert nats(words, [MARK, MARK, A, B]) == -2 * COST
    assert nats(words, [A, B, A, B, B]) == 0.0, "ABA BB, though AB is a word"


def counted(log_probs, words: Lexicon) -> dict[tuple[int, ...], float]:
    """The probability of every text, by all its paths and by its words."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(NUM_LABELS), repeat=len(log_probs)):
        text = tuple(label for label, _ in itertools.groupby(path) if label)
        chance = math.exp(sum(float(log_probs[t, label]) for t, label in enumerate(path)))
        found[text] = found.get(text, 0.0) + chance * math.exp(nats(words, text))
    return found


@pytest.mark.parametrize("cost", [0.7, math.inf])
@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_the_best_text_of_all(cost, seed, monkeypatch):
    for name in ("LEAST_CLOSED", "TOO_LITTLE_CLOSED"):
        monkeypatch.setattr(decoders.search.prefix_beam, name, 0.0)
    generator = torch.Generator().manual_seed(seed)
    log_probs = (1.5 * torch.randn(1, 4, NUM_LABELS, generator=generator)).log_softmax(2)
    words = lexicon(cost)
    (found,) = PrefixBeam(Fusion(lexicon=words, closed=True), 700)(log_probs, torch.tensor([4]))
    chances = counted(log_probs[0], words)
    assert tuple(found.ids) == max(chances, key=chances.get)


def test_where_no_text_ends_with_a_word_what_was_begun_is_left_out():
    log_probs = torch.full((1, 2, NUM_LABELS), 1e-9)
    log_probs[0, 0, B], log_probs[0, 1, A] = 1.0, 1.0
    words = Lexicon([[B, A, A]], (A, B), math.inf, NUM_LABELS)
    (found,) = PrefixBeam(Fusion(lexicon=words, closed=True), 4)(log_probs.log(), torch.tensor([2]))
    assert found.ids == []
