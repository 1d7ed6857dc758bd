"""Expected number of label errors of a CTC network, as a loss.

Expected transcription loss of Graves & Jaitly (2014, "Towards end-to-end speech recognition with recurrent
neural networks"): likelihood rewards only the whole target; this minimises errors, by which results are
judged.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import BLANK
from decoders.compiled import compiled

RARE = 1e-3  # labels less probable than this in their frame are ignored


def expected_errors(log_probs: Tensor, lengths: Tensor, targets: list[list[int]], samples: int) -> Tensor:
    """Estimate of the expected edit distance between the output of CTC and each target, (batch,).

    Paths are sampled from the frame probabilities; then each frame in turn is set to each of its probable
    labels, and the resulting errors are weighted by the probabilities. The value differs from the expected
    distance by a term without gradient: only differences of errors within a frame count.

    Args:
        log_probs: (batch, time, labels) from `CTC`.
        lengths: (batch,), the number of frames of each sequence.
        targets: label ids of each sequence.
        samples: number of paths sampled per sequence.
    """
    probabilities = log_probs.exp()
    known = probabilities.detach().cpu()
    paths = torch.multinomial(known.flatten(0, 1), samples, replacement=True)
    paths = paths.view(*known.shape[:2], samples).numpy()
    costs = np.zeros(known.shape, np.float32)
    for item, (length, target) in enumerate(zip(lengths.tolist(), targets, strict=True)):
        reference = np.array(target, np.int64)
        for sample in range(samples):
            path = np.ascontiguousarray(paths[item, :length, sample])
            _add_costs(path, known[item].numpy(), reference, costs[item])
    return (probabilities * torch.from_numpy(costs / samples).to(log_probs.device)).sum(dim=(1, 2))


@compiled
def _add_costs(path, probabilities, target, costs):
    """Add to the labels of each frame their errors in excess of the frame's mean."""
    frames, size = len(path), len(target)
    written = np.zeros(frames + 2, np.int64)  # number of labels before each frame
    text = np.empty(frames, np.int64)
    for t in range(frames):
        before = path[t - 1] if t else BLANK
        written[t + 1] = written[t]
        if path[t] != BLANK and path[t] != before:
            text[written[t]] = path[t]
            written[t + 1] += 1
    written[frames + 1] = written[frames]
    count = written[frames]
    # Edit distances (Wagner & Fischer 1974) between all prefixes, and between all suffixes.
    begun = np.empty((count + 1, size + 1), np.int64)
    begun[0] = np.arange(size + 1)
    for i in range(count):
        _step(begun[i], text[i], target, begun[i + 1])
    ended = np.empty((count + 1, size + 1), np.int64)
    ended[count] = np.arange(size + 1)[::-1]
    for i in range(count - 1, -1, -1):
        ended[i, size] = ended[i + 1, size] + 1
        for j in range(size - 1, -1, -1):
            same = ended[i + 1, j + 1] + (text[i] != target[j])
            ended[i, j] = min(same, ended[i + 1, j] + 1, ended[i, j + 1] + 1)
    one, two = np.empty(size + 1, np.int64), np.empty(size + 1, np.int64)
    errors = np.empty(probabilities.shape[1])
    for t in range(frames):
        before = path[t - 1] if t else BLANK
        after = path[t + 1] if t + 1 < frames else BLANK
        rest = ended[written[min(t + 2, frames)]]
        total, mean = 0.0, 0.0
        for label in range(len(errors)):
            if probabilities[t, label] < RARE:
                continue
            row = begun[written[t]]
            if label != BLANK and label != before:
                _step(row, label, target, one)
                row = one
            if after != BLANK and after != label:
                _step(row, after, target, two)
                row = two
            errors[label] = (row + rest).min()
            total += probabilities[t, label]
            mean += probabilities[t, label] * errors[label]
        for label in range(len(errors)):
            if probabilities[t, label] >= RARE:
                costs[t, label] += errors[label] - mean / total


@compiled
def _step(row, label, target, longer):
    """Extend a prefix by one label: its distances to all prefixes of the target, updated."""
    longer[0] = row[0] + 1
    for j in range(len(target)):
        longer[j + 1] = min(row[j] + (label != target[j]), row[j + 1] + 1, longer[j] + 1)
