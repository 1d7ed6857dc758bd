"""decoders.language.hotwords: a text gains the bonus for each label of the words in it, and nothing else."""

import itertools

import pytest
import torch

import decoders.language.hotwords
import decoders.search.prefix_beam
from decoders.language.fusion import Fusion
from decoders.language.hotwords import ANYWHERE, Hotwords
from decoders.language.ngrams import NGrams
from decoders.search.prefix_beam import PrefixBeam
from tests.decoders.search.test_prefix_beam import LABELS, TEXTS, posteriors, worth

A, B, SPACE = 1, 2, 3
LISTS = {
    "one word": [[A, B]],
    "one within another": [[A], [A, B, A]],
    "of two parts": [[A, SPACE, B], [B]],
    "of which one begins the other": [[A], [A, SPACE, B, B]],
    "of three parts": [[A, SPACE, A, SPACE, B]],
    "twice": [[B, A], [B, A]],
}


def labels_in_words(text, words, letters):
    """By looking, at each place where a word may begin, how far one of them goes along."""
    place, found = 0, 0
    while place < len(text):
        if place and text[place - 1] in letters:
            place += 1
            continue
        rest = text[place:]
        begun = [size for word in words for size in range(1, len(word) + 1) if word[:size] == rest[:size]]
        ended = [
            len(word)
            for word in words
            if word == rest[: len(word)] and not set(rest[len(word) : len(word) + 1]) & letters
        ]
        found += max(ended, default=0)
        place += max(begun, default=1)
    return found


def gained(text, hotwords):
    place, total = ANYWHERE, 0.0
    for label in text:
        total += hotwords.gains(place)[label]
        place = hotwords.behind(place, label)
    return total + hotwords.ended(place)


@pytest.mark.parametrize("letters", [{A, B}, set()], ids=["words", "no spaces"])
@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("ahead", [6.0, 0.7, 0.0])
def test_a_text_gains_what_its_words_are_worth(kind, letters, ahead, monkeypatch):
    monkeypatch.setattr(decoders.language.hotwords, "AHEAD", ahead)
    words = LISTS[kind]
    hotwords = Hotwords(words, letters, 0.5, LABELS)
    for size in range(7):
        for text in itertools.product((A, B, SPACE), repeat=size):
            assert gained(text, hotwords) == pytest.approx(
                0.5 * labels_in_words(list(text), words, letters)
            ), text


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("model,bonus", [(None, 1.0), (None, 0.0), (NGrams.of(TEXTS, 3, LABELS), 2.0)])
def test_the_search_finds_the_best_of_all_texts(seed, model, bonus, monkeypatch):
    monkeypatch.setattr(decoders.search.prefix_beam, "TOO_LITTLE", 0.0)
    monkeypatch.setattr(decoders.search.prefix_beam, "LEAST", 0.0)
    hotwords = Hotwords(LISTS["of which one begins the other"], {A, B}, bonus, LABELS)
    fusion = Fusion(model, 0.4 if model else 0.0, SPACE if model else None, hotwords)
    (log_probs,) = posteriors(1, 5, seed)

    def gain(text):
        plain = worth(
            log_probs, text, Fusion(model or NGrams.of(TEXTS, 1, LABELS), fusion.weight, fusion.edge)
        )
        return plain + gained(text, hotwords)

    texts = (text for size in range(6) for text in itertools.product((A, B, SPACE), repeat=size))
    (found,) = PrefixBeam(fusion, 400)(log_probs[None], torch.tensor([5]))
    assert found.ids == max(map(list, texts), key=gain)


def test_a_word_is_found_that_hardly_differs():
    """And where it stands within another, it is not."""
    log_probs = torch.full((1, 3, LABELS), 0.02)
    log_probs[0, 0, A], log_probs[0, 1, A], log_probs[0, 1, B] = 0.94, 0.5, 0.46
    log_probs[0, 1, 0] = 0.02
    log_probs[0, 2, SPACE] = 0.94
    lengths, fusion = torch.tensor([3]), Fusion(None, hotwords=Hotwords([[A, B]], {A, B}, 1.0, LABELS))
    assert PrefixBeam(fusion, 8)(log_probs.log(), lengths)[0].ids == [A, B, SPACE]
    log_probs[0, 2] = torch.tensor([0.02, 0.94, 0.02, 0.02])
    assert PrefixBeam(fusion, 8)(log_probs.log(), lengths)[0].ids != [A, B, A]


def test_a_long_word_that_is_not_there_can_be_left_however_much_it_weighs():
    text = [A, B] * 9 + [SPACE]
    log_probs = torch.full((1, len(text), LABELS), 0.01)
    log_probs[0, range(len(text)), text] = 0.97
    fusion = Fusion(None, hotwords=Hotwords([[A, B] * 12], {A, B}, 10.0, LABELS))
    assert PrefixBeam(fusion, 4)(log_probs.log(), torch.tensor([len(text)]))[0].ids == text


def test_numbers_do_not_end_however_long_a_word_is():
    word = [A, B] * 100
    log_probs = torch.full((1, len(word), LABELS), 0.01)
    log_probs[0, range(len(word)), word] = 0.97
    fusion = Fusion(None, hotwords=Hotwords([word], {A, B}, 10.0, LABELS))
    assert PrefixBeam(fusion, 4)(log_probs.log(), torch.tensor([len(word)]))[0].ids == word
