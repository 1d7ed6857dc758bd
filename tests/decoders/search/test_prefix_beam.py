"""decoders.search.prefix_beam: with hypotheses enough, the best of all texts there are."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

import decoders.language.fusion
import decoders.search.prefix_beam
from decoders.ctc import ctc_loss
from decoders.language.fusion import BONUS, Fusion
from decoders.language.hotwords import Hotwords
from decoders.language.ngrams import NGrams
from decoders.search.best_path import greedy
from decoders.search.prefix_beam import PrefixBeam

LABELS = 4
TEXTS = [[1, 2, 3, 1, 2, 3, 1, 2, 3, 3, 1, 2], [2, 2, 1, 2, 3, 1, 1, 2]]
MODEL = NGrams.of(TEXTS, 3, LABELS)


def posteriors(batch, time, seed):
    generator = torch.Generator().manual_seed(seed)
    return (1.5 * torch.randn(batch, time, LABELS, generator=generator)).log_softmax(dim=2)


def worth(log_probs, text, fusion):
    """Of one text: all its alignments by CTC's own sum, and each label by the language model."""
    by_ctc = -float(ctc_loss(log_probs[None], torch.tensor([len(log_probs)]), [text]))
    if text and by_ctc == 0:  # CTC's way to say that it does not fit
        return -math.inf
    if not text:
        by_ctc = float(log_probs[:, 0].sum())
    before = () if fusion.edge is None else (fusion.edge,)
    total = by_ctc
    for label in [*text, *before] if fusion.model else ():
        total += fusion.weight * (float(fusion.model.log_probs(before)[label]) + BONUS)
        before = (*before, label)
    return total


def all_texts(longest):
    for size in range(longest + 1):
        yield from map(list, itertools.product(range(1, LABELS), repeat=size))


def best_of_all(log_probs, fusion):
    return max(all_texts(len(log_probs)), key=lambda text: worth(log_probs, text, fusion))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weight,edge", [(0.0, None), (0.4, None), (0.4, 3), (1.5, 3)])
def test_it_finds_the_best_of_all_texts(seed, weight, edge, monkeypatch):
    monkeypatch.setattr(decoders.search.prefix_beam, "TOO_LITTLE", 0.0)
    monkeypatch.setattr(decoders.search.prefix_beam, "LEAST", 0.0)
    fusion = Fusion(MODEL, weight, edge)
    log_probs = posteriors(1, 5, seed)
    (found,) = PrefixBeam(fusion, 400)(log_probs, torch.tensor([5]))
    assert found.ids == best_of_all(log_probs[0], fusion)


@pytest.mark.parametrize("fusion", [Fusion(None), Fusion(MODEL, 0.4, 3)], ids=["alone", "with a language"])
def test_its_alternatives_are_the_likeliest_of_all_texts(fusion, monkeypatch):
    monkeypatch.setattr(decoders.search.prefix_beam, "TOO_LITTLE", 0.0)
    monkeypatch.setattr(decoders.search.prefix_beam, "LEAST", 0.0)
    log_probs = posteriors(1, 4, seed=3)
    texts = list(all_texts(4))
    chances = torch.tensor([worth(log_probs[0], text, fusion) for text in texts]).softmax(0)
    (found,) = PrefixBeam(fusion, 400, alternatives=7)(log_probs, torch.tensor([4]))
    expected = chances.topk(7)
    assert [ids for ids, _ in found.alternatives] == [texts[place] for place in expected.indices.tolist()]
    assert [share for _, share in found.alternatives] == pytest.approx(expected.values.tolist(), abs=1e-5)
    assert found.alternatives[0][0] == found.ids
    (alone,) = PrefixBeam(fusion, 400)(log_probs, torch.tensor([4]))
    assert alone == replace(found, alternatives=())


def test_the_language_decides_what_ctc_leaves_open():
    log_probs = torch.full((1, 3, LABELS), 0.02)
    log_probs[0, 0, 1], log_probs[0, 1, 2] = 0.94, 0.94
    log_probs[0, 2, 3], log_probs[0, 2, 1] = 0.46, 0.5
    lengths = torch.tensor([3])
    assert greedy(log_probs.log(), lengths)[0].ids == [1, 2, 1]
    assert PrefixBeam(Fusion(MODEL, 0.5), 8)(log_probs.log(), lengths)[0].ids == [1, 2, 3]


def test_an_item_does_not_depend_on_its_batch():
    log_probs, lengths = posteriors(4, 9, seed=7), torch.tensor([9, 3, 6, 1])
    fusion = Fusion(MODEL, 0.4)
    together = PrefixBeam(fusion, 6)(log_probs, lengths)
    for row, length, found in zip(log_probs, lengths, together, strict=True):
        assert PrefixBeam(fusion, 6)(row[None], length[None]) == [found]


@pytest.mark.parametrize("room,kept", [(2, 10**6), (1024, 0)], ids=["that grows", "begun anew each time"])
def test_what_is_kept_changes_nothing(room, kept, monkeypatch):
    log_probs, lengths = posteriors(6, 30, seed=9), torch.full((6,), 30)
    fusion = Fusion(MODEL, 0.4, 3, Hotwords([[1, 2], [2, 2]], {1, 2}, 0.5, LABELS))
    whole = PrefixBeam(fusion, 6)(log_probs, lengths)
    monkeypatch.setattr(decoders.language.fusion, "ROOM", room)
    monkeypatch.setattr(decoders.language.fusion, "KEPT", kept)
    search = PrefixBeam(replace(fusion), 6)
    assert [search(log_probs, lengths) for _ in range(2)] == [whole, whole]


def test_threads_share_a_search():
    rows = posteriors(64, 40, seed=11)
    length, fusion = torch.tensor([40]), Fusion(MODEL, 0.4, 3)
    alone = [PrefixBeam(fusion, 8)(row[None], length) for row in rows]
    search = PrefixBeam(fusion, 8)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda row: search(row[None], length), rows)) == alone


def test_labels_are_placed_one_behind_the_other():
    log_probs = posteriors(1, 40, seed=8)
    (found,) = PrefixBeam(Fusion(MODEL, 0.5), 6)(log_probs, torch.tensor([40]))
    assert found.ids and len(found.ids) == len(found.starts) == len(found.ends) == len(found.confidences)
    assert all(start < end for start, end in zip(found.starts, found.ends, strict=True))
    assert all(end <= start for end, start in zip(found.ends, found.starts[1:], strict=False))
    assert all(0 < confidence <= 1 for confidence in found.confidences)


@pytest.mark.parametrize("length", [0, 12])
def test_nothing_but_blanks_is_no_text(length):
    log_probs = torch.tensor([0.0, -30, -30, -30]).expand(1, 12, 4)
    (found,) = PrefixBeam(Fusion(MODEL, 0.5, 3), 6)(log_probs, torch.tensor([length]))
    assert found.ids == []


def test_hours_without_a_doubt_do_not_fade_to_nothing():
    """Probabilities of thousands of frames multiply to less than any number can hold."""
    log_probs = torch.full((1, 6000, LABELS), 0.25).log()
    (found,) = PrefixBeam(Fusion(MODEL, 0.3), 2)(log_probs, torch.tensor([6000]))
    assert len(found.ids) <= 6000


@pytest.mark.parametrize("weight", [0.0, 0.3, 2.0])
def test_certainty_of_what_is_unheard_of(weight):
    """Where CTC leaves no probability at all to what the language expects, it has its way."""
    scores = torch.full((1, 4, LABELS), -torch.inf)
    for frame, label in enumerate([3, 2, 0, 2]):
        scores[0, frame, label] = 0.0
    model = NGrams.of([[1] * 10_000], 3, LABELS)
    assert PrefixBeam(Fusion(model, weight, 1), 2)(scores, torch.tensor([4]))[0].ids == [3, 2, 2]


@pytest.mark.parametrize("weight", [-0.1, 2.1, math.nan])
def test_weights_that_make_no_sense(weight):
    with pytest.raises(ValueError, match="weight"):
        Fusion(MODEL, weight)
