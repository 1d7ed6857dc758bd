"""The CRF against all label sequences there are: likelihood, marginals, the best one."""

import itertools

import pytest
import torch

from decoders.contract import UNKNOWN
from decoders.crf import CRF

LABELS, FEATURES = 4, 3


@pytest.fixture
def crf():
    torch.manual_seed(3)
    decoder = CRF(FEATURES, LABELS).eval()
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.copy_(torch.randn(weight.shape))
    return decoder


def every(crf, states):
    """The score of each sequence of labels for (time, features)."""
    scores = crf.project(states)
    found = {}
    for path in itertools.product(range(1, LABELS), repeat=len(states)):
        score = crf.first[path[0]] + crf.last[path[-1]]
        score = score + sum(scores[place, label] for place, label in enumerate(path))
        score = score + sum(crf.transitions[one, other] for one, other in itertools.pairwise(path))
        found[path] = score.item()
    return found


@pytest.mark.parametrize("length", [1, 2, 4])
def test_against_all_sequences(crf, length):
    states = torch.randn(length, FEATURES, generator=torch.Generator().manual_seed(length))
    paths = every(crf, states)
    total = torch.logsumexp(torch.tensor(list(paths.values())), 0)
    lengths = torch.tensor([length])
    for path, score in itertools.islice(paths.items(), 9):
        (loss,) = crf.loss(states[None], lengths, [list(path)])
        assert loss.item() == pytest.approx(total.item() - score, abs=1e-4)
    (found,) = crf.read(states[None], lengths)
    assert tuple(found.ids) == max(paths, key=paths.get)
    marginals = crf.frame_log_probs(states[None], lengths)[0].exp()
    assert marginals.sum(dim=1).tolist() == pytest.approx([1.0] * length, abs=1e-5)
    for place in range(length):
        for label in range(1, LABELS):
            share = sum(
                torch.tensor(score).sub(total).exp() for path, score in paths.items() if path[place] == label
            )
            assert marginals[place, label].item() == pytest.approx(share.item(), abs=1e-4)
    assert found.confidences == pytest.approx(
        [marginals[i, label].item() for i, label in enumerate(found.ids)]
    )


def test_labels_that_are_not_known_are_summed_over(crf):
    states = torch.randn(1, 3, FEATURES, generator=torch.Generator().manual_seed(5))
    lengths = torch.tensor([3])
    (part,) = crf.loss(states, lengths, [[1, UNKNOWN, 2]])
    whole = torch.cat([crf.loss(states, lengths, [[1, label, 2]]) for label in range(1, LABELS)])
    assert part.item() == pytest.approx(-torch.logsumexp(-whole, 0).item(), abs=1e-4)
    (none,) = crf.loss(states, lengths, [[UNKNOWN] * 3])
    assert none.item() == pytest.approx(0.0, abs=1e-4)
