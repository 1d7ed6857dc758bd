"""decoders.hybrid: CTC's part in the search is the sum over all alignments."""

import itertools
import math

import pytest
import torch

from decoders.attention import END
from decoders.contract import Objective, Search
from decoders.ctc import ctc_loss, frames_needed
from decoders.hybrid import Hybrid, Prefixes

LENGTHS = torch.tensor([6, 1, 4])


def hybrid(labels=4, ctc_weight=0.3):
    torch.manual_seed(0)
    small = Hybrid(5, labels, ctc_weight, hidden_size=8, embedding_size=8, attention_size=6).eval()
    with torch.no_grad():
        small.attention.embed.weight *= 4
        small.ctc.project.weight *= 4
    return small


def states(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def begins(log_probs, prefix):
    """The probability that a text begins so, over all paths."""
    total = 0.0
    for path in itertools.product(range(log_probs.size(1)), repeat=len(log_probs)):
        text = [label for label, _ in itertools.groupby(path) if label]
        if text[: len(prefix)] == prefix:
            total += math.exp(sum(log_probs[frame, label].item() for frame, label in enumerate(path)))
    return total


def test_prefixes_sum_over_all_paths():
    log_probs = (2 * states(2, 5, 3)).log_softmax(dim=2)
    lengths = torch.tensor([5, 3])
    prefixes = Prefixes(log_probs, lengths, width=2, weight=0.3)
    texts = [[], [], [], []]
    rows = [1, 0, 3, 3]  # whose hypotheses go on in which rows
    for added in ([1, 2, 2, 1], [1, 1, 2, 1], [2, 1, 1, 1]):
        scores = prefixes.scores(torch.tensor([[END, 1, 2]] * 4)).exp()
        for row, text in enumerate(texts):
            item = log_probs[row // 2, : lengths[row // 2]]
            # Out of a text that cannot be, nothing comes.
            assert scores[row, 1].item() == pytest.approx(begins(item, [*text, 1]), abs=1e-5)
            assert scores[row, 2].item() == pytest.approx(begins(item, [*text, 2]), abs=1e-5)
            if frames_needed(text) <= len(item):
                whole = ctc_loss(item[None], torch.tensor([len(item)]), [text])
                assert scores[row, 0].item() == pytest.approx(math.exp(-whole.item()), abs=1e-5)
        texts = [[*texts[row], label] for row, label in zip(rows, added, strict=True)]
        prefixes.keep(torch.tensor(rows), torch.tensor(added))


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_the_score_is_of_both_decoders(weight):
    model, x = hybrid(), states(3, 6, 5)
    log_probs, _ = model(x, LENGTHS)
    results = model.hypotheses(x, LENGTHS, Search(3, length_power=0.0), weight)
    for item, hypotheses in enumerate(results):
        assert [each.score for each in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        assert len({tuple(each.labels.ids) for each in hypotheses}) == len(hypotheses) > 0
        for each in hypotheses:
            one, target = slice(item, item + 1), [each.labels.ids]
            by_attention = model.attention.loss(x[one], LENGTHS[one], target).item()
            by_ctc = ctc_loss(log_probs[one], LENGTHS[one], target).item()
            assert frames_needed(each.labels.ids) <= LENGTHS[item]
            assert each.log_prob == pytest.approx(-by_attention, abs=1e-3)
            assert each.score == pytest.approx(-(1 - weight) * by_attention - weight * by_ctc, abs=1e-3)


def test_an_item_does_not_depend_on_its_batch():
    model, x = hybrid(), states(3, 6, 5)
    targets = [[1, 2, 2], [3], []]
    smooth = Objective(smoothing=0.1)
    together = model.loss(x, LENGTHS, targets, smooth)
    found = model.hypotheses(x, LENGTHS, Search(3))
    for item, length in enumerate(LENGTHS.tolist()):
        alone = x[item : item + 1, :length], LENGTHS[item : item + 1]
        loss = model.loss(*alone, [targets[item]], smooth)
        torch.testing.assert_close(loss[0], together[item])
        (same,) = model.hypotheses(*alone, Search(3))
        assert [each.labels.ids for each in same] == [each.labels.ids for each in found[item]]


def test_weights_at_their_ends():
    x, targets = states(3, 6, 5), [[1, 2], [3], []]
    only_ctc, only_attention = hybrid(ctc_weight=1.0), hybrid(ctc_weight=0.0)
    torch.testing.assert_close(only_ctc.loss(x, LENGTHS, targets), only_ctc.ctc.loss(x, LENGTHS, targets))
    torch.testing.assert_close(
        only_attention.loss(x, LENGTHS, targets), only_attention.attention.loss(x, LENGTHS, targets)
    )
    without = only_ctc.hypotheses(x, LENGTHS, Search(3), ctc_weight=0.0)
    assert [[h.labels for h in each] for each in without] == [
        [h.labels for h in each] for each in only_ctc.attention.hypotheses(x, LENGTHS, Search(3))
    ]
    with pytest.raises(ValueError, match="from 0 to 1"):
        only_ctc.hypotheses(x, LENGTHS, ctc_weight=1.5)
    with pytest.raises(ValueError, match="from 0 to 1"):
        hybrid(ctc_weight=-0.1)


def test_more_frames_than_a_float_can_multiply():
    """Impossible labels over long padding: sums stay finite, and what is certain is found."""
    log_probs = torch.full((2, 400, 4), -300.0)
    log_probs[:, :, 0] = 0.0
    log_probs[0, 350, 2] = log_probs[1, 3, 1] = 0.0
    log_probs[0, 350, 0] = log_probs[1, 3, 0] = -300.0
    prefixes = Prefixes(log_probs, torch.tensor([400, 5]), width=1, weight=1.0)
    proposals = torch.tensor([[END, 1, 2, 3]] * 2)
    assert prefixes.scores(proposals).argmax(dim=1).tolist() == [2, 1]
    prefixes.keep(torch.tensor([0, 1]), torch.tensor([2, 1]))
    scores = prefixes.scores(proposals)
    assert scores.argmax(dim=1).tolist() == [0, 0] and scores[:, 0] == pytest.approx([0.0, 0.0], abs=1e-4)
