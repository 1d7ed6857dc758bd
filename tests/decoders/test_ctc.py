"""decoders.ctc: the loss is the sum over all paths, and greedy decoding what a plain loop gives."""

import itertools
import math

import pytest
import torch

from decoders.contract import Labels
from decoders.ctc import CTC, ctc_loss, frames_needed
from decoders.search.best_path import greedy


def posteriors(batch, time, labels, seed=0, sharpness=2.0):
    generator = torch.Generator().manual_seed(seed)
    return (sharpness * torch.randn(batch, time, labels, generator=generator)).log_softmax(dim=2)


def best_labels(log_probs):
    """Greedy decoding of (time, labels), frame by frame."""
    found = Labels([], [], [], [])
    before = 0
    for frame, row in enumerate(log_probs.exp().tolist()):
        confidence = max(row)
        label = row.index(confidence)
        if label and label == before:
            found.ends[-1] = frame + 1
            found.confidences[-1] = max(found.confidences[-1], confidence)
        elif label:
            found.ids.append(label)
            found.starts.append(frame)
            found.ends.append(frame + 1)
            found.confidences.append(confidence)
        before = label
    return found


def collapsed(path):
    return [label for label, _ in itertools.groupby(path) if label]


@pytest.mark.parametrize("labels", [2, 3, 8])
@pytest.mark.parametrize("seed", range(5))
def test_greedy_is_a_plain_loop(labels, seed):
    lengths = torch.tensor([17, 0, 1, 9, 17, 2])
    log_probs = posteriors(6, 17, labels, seed)
    results = greedy(log_probs, lengths)
    assert len(results) == 6
    for row, length, result in zip(log_probs, lengths.tolist(), results, strict=True):
        expected = best_labels(row[:length])
        assert (result.ids, result.starts, result.ends) == (expected.ids, expected.starts, expected.ends)
        assert result.confidences == pytest.approx(expected.confidences)


def test_starts_ends_and_confidences():
    path = [1, 1, 0, 1, 2, 2, 0, 3]
    certain = [0.6, 0.9, 0.8, 0.7, 0.5, 0.5, 0.9, 0.8]
    log_probs = torch.zeros(1, 8, 4)
    for frame, (label, probability) in enumerate(zip(path, certain, strict=True)):
        log_probs[0, frame] = (1 - probability) / 3
        log_probs[0, frame, label] = probability
    (result,) = greedy(log_probs.log(), torch.tensor([8]))
    assert result.ids == [1, 1, 2, 3]
    assert result.starts == [0, 3, 4, 7]
    assert result.ends == [2, 4, 6, 8]
    assert result.confidences == pytest.approx([0.9, 0.7, 0.5, 0.8])


def test_a_label_that_ends_one_sequence_and_begins_the_next_is_two():
    log_probs = torch.full((2, 2, 2), -5.0)
    log_probs[:, :, 1] = -0.01
    results = greedy(log_probs, torch.tensor([2, 2]))
    assert [result.ids for result in results] == [[1], [1]]
    assert [result.ends for result in results] == [[2], [2]]


@pytest.mark.parametrize(("batch", "time"), [(1, 5), (3, 1), (2, 0), (0, 4)])
def test_nothing_but_blanks_is_no_labels(batch, time):
    log_probs = torch.full((batch, time, 3), -5.0)
    log_probs[:, :, 0] = -0.01
    results = greedy(log_probs, torch.full((batch,), time))
    assert results == [Labels([], [], [], [])] * batch


def test_frames_beyond_the_length_count_for_nothing():
    log_probs, lengths = posteriors(3, 12, 5), torch.tensor([4, 12, 7])
    dirty = log_probs.clone()
    dirty[0, 4:] = 0.0
    dirty[2, 7:] = -torch.inf
    assert greedy(dirty, lengths) == greedy(log_probs, lengths)
    targets = [[1], [2, 3], [4, 4]]
    torch.testing.assert_close(ctc_loss(dirty, lengths, targets), ctc_loss(log_probs, lengths, targets))


@pytest.mark.parametrize("target", [[], [1], [1, 1], [1, 2], [2, 2, 1], [1, 2, 1, 2]])
@pytest.mark.parametrize("time", [1, 3, 5])
def test_the_loss_sums_over_all_paths_and_needs_enough_frames(target, time):
    log_probs = posteriors(1, time, 3, seed=time)
    paths = [path for path in itertools.product(range(3), repeat=time) if collapsed(path) == target]
    loss = ctc_loss(log_probs, torch.tensor([time]), [target]).item()
    assert bool(paths) == (time >= frames_needed(target))
    if paths:
        likelihood = sum(
            math.exp(sum(log_probs[0, frame, label].item() for frame, label in enumerate(path)))
            for path in paths
        )
        assert loss == pytest.approx(-math.log(likelihood), abs=1e-4)
    else:
        assert loss == 0.0


def test_a_target_too_long_for_its_frames_has_no_gradient():
    log_probs = posteriors(2, 4, 3).requires_grad_()
    losses = ctc_loss(log_probs, torch.tensor([3, 4]), [[1, 1, 2], [1, 1, 2]])
    assert losses[0] == 0.0 < losses[1]
    losses.sum().backward()
    assert log_probs.grad[0].abs().sum() == 0.0 < log_probs.grad[1].abs().sum()


def test_the_loss_of_an_item_does_not_depend_on_its_batch():
    log_probs = posteriors(4, 10, 6)
    lengths, targets = torch.tensor([10, 3, 6, 1]), [[1, 2, 3, 3], [5], [], [4]]
    together = ctc_loss(log_probs, lengths, targets)
    assert together.shape == (4,)
    for item, length in enumerate(lengths.tolist()):
        alone = ctc_loss(log_probs[item : item + 1, :length], lengths[item : item + 1], [targets[item]])
        torch.testing.assert_close(alone[0], together[item])


@pytest.mark.parametrize(
    ("target", "frames"), [([], 0), ([3], 1), ([3, 3], 3), ([1, 2, 1], 3), ([1, 1, 1, 2, 2], 8)]
)
def test_frames_needed(target, frames):
    assert frames_needed(target) == frames


def test_forward_gives_log_probabilities_in_float32():
    torch.manual_seed(0)
    decoder = CTC(6, 4)
    x, lengths = torch.randn(2, 5, 6), torch.tensor([5, 3])
    for dtype in (torch.float32, torch.bfloat16):
        log_probs, out = decoder.to(dtype)(x.to(dtype), lengths)
        assert log_probs.dtype == torch.float32 and log_probs.shape == (2, 5, 4)
        torch.testing.assert_close(log_probs.exp().sum(dim=2), torch.ones(2, 5))
        assert torch.equal(out, lengths)


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    decoder, x, lengths = CTC(6, 4, dropout=0.5), torch.randn(1, 5, 6), torch.tensor([5])
    heard, _ = decoder.eval()(x, lengths)
    assert torch.equal(decoder(x, lengths)[0], heard)
    assert not torch.equal(decoder.train()(x, lengths)[0], heard)


def test_training_by_the_loss_writes_the_target():
    torch.manual_seed(0)
    decoder, x, lengths = CTC(8, 4), torch.randn(2, 9, 8), torch.tensor([9, 6])
    targets = [[1, 1, 3], [2]]
    for _ in range(100):
        loss = decoder.loss(x, lengths, targets).sum()
        gradients = torch.autograd.grad(loss, list(decoder.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(decoder.parameters(), gradients, strict=True):
                parameter -= 0.2 * gradient
    assert [result.ids for result in greedy(*decoder(x, lengths))] == targets
