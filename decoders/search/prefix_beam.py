"""CTC prefix beam search with a language model, hotwords and a lexicon.

Hannun et al. (2014, "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
DNNs"), with labels in place of words: the score of a hypothesis is its CTC probability, summed over all
alignments, times its language model probability to the power of a weight.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import BLANK
from decoders.contract import Labels
from decoders.language.fusion import Fusion
from decoders.search.best_path import collapsed

LEAST = 1e-3  # labels below this probability in a frame are pruned
TOO_LITTLE = 1e-4  # hypotheses below this share of the best one are pruned
LEAST_CLOSED, TOO_LITTLE_CLOSED = 1e-5, 1e-6  # the same with a closed lexicon


class PrefixBeam:
    """A prefix beam search; one object may serve several threads.

    Args:
        fusion: language model, hotwords and lexicon.
        width: beam width.
        alternatives: number of most probable readings to return, the best one included.
    """

    def __init__(self, fusion: Fusion, width: int, alternatives: int = 0):
        self.fusion, self.width, self.alternatives = fusion, width, alternatives

    def __call__(self, log_probs: Tensor, lengths: Tensor) -> list[Labels]:
        """The best reading of each sequence.

        Args:
            log_probs: (batch, time, num_labels) from CTC, on the CPU.
            lengths: (batch,), the number of frames of each sequence.

        Returns:
            The labels of each sequence, with positions and confidences from the best CTC alignment.
        """
        from torchaudio.functional import forced_align

        paths, alternatives = torch.full(log_probs.shape[:2], BLANK), []
        for path, scores, length in zip(paths, log_probs, lengths.tolist(), strict=True):
            found = self._readings(scores[:length].numpy())
            labels = found[0][0]
            if labels:
                path[:length] = forced_align(scores[None, :length].float(), torch.tensor([labels]))[0][0]
            alternatives.append(tuple(found[: self.alternatives]))
        best = collapsed(paths, log_probs.gather(2, paths[:, :, None])[:, :, 0], lengths)
        return [replace(one, alternatives=all_) for one, all_ in zip(best, alternatives, strict=True)]

    def _readings(self, log_probs: np.ndarray) -> list[tuple[list[int], float]]:
        """Readings of (time, num_labels): labels and their share of the total probability, the best first."""
        from decoders.search.prefix_steps import START, advance, beginning

        frames, num_labels = log_probs.shape
        contexts = self.fusion.contexts(num_labels)
        probabilities = np.exp(log_probs.astype(np.float64))
        closed = self.fusion.closed
        least, too_little = (LEAST_CLOSED, TOO_LITTLE_CLOSED) if closed else (LEAST, TOO_LITTLE)
        probabilities[:, 1:][probabilities[:, 1:] <= least] = 0.0
        texts, beam = beginning(self.width, frames, contexts.root)
        frame, size = 0, 1
        while frame < frames:
            frame, size = advance(probabilities, frame, size, too_little, *contexts.known(), texts, beam)
            new = [text for text in beam.text[:size] if not texts.context[text]]
            if new:
                steps = [(int(texts.context[texts.before[text]]), int(texts.label[text])) for text in new]
                texts.context[new] = contexts.longer(steps)
        found, worth = beam.text[:size].copy(), (beam.blank + beam.last)[:size]
        ends = np.array([contexts.ended(context) for context in texts.context[found]])
        if ends.any():
            worth = worth * ends
        else:  # no text may end here: shorten each to where it may
            for place, text in enumerate(found):
                while not contexts.ended(texts.context[text]):
                    text = texts.before[text]
                found[place] = text
        readings = []
        for place in (-worth).argsort(kind="stable")[: max(1, self.alternatives)]:
            labels, text = [], found[place]
            while text != START:
                labels.append(int(texts.label[text]))
                text = texts.before[text]
            readings.append((labels[::-1], float(worth[place] / worth.sum())))
        return readings
