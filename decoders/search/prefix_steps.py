"""The inner loop of the prefix beam search, compiled to machine code that releases the GIL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from decoders.alphabet import BLANK
from decoders.compiled import compiled

START = 0  # the empty text


class Texts(NamedTuple):
    """All texts considered so far, as arrays (texts,).

    Attributes:
        before, label: the text without its last label, and that label.
        context: its index in the table of contexts, 0 if not known yet.
        name: a hash of its labels.
        count: (1,), the number of texts.
    """

    before: np.ndarray
    label: np.ndarray
    context: np.ndarray
    name: np.ndarray
    count: np.ndarray


class Beam(NamedTuple):
    """The texts in the beam, as arrays (width,), with probabilities relative to the best one.

    Attributes:
        text: index among `Texts`.
        blank, last: probability of the alignments that end in a blank, and in the text's last label.
    """

    text: np.ndarray
    blank: np.ndarray
    last: np.ndarray


def beginning(width: int, frames: int, context: int) -> tuple[Texts, Beam]:
    """Allocate the arrays of a search that starts with the empty text."""
    size = width * frames + 1
    integers = (np.zeros(size, np.int32) for _ in range(3))
    texts = Texts(*integers, np.zeros(size, np.uint64), np.ones(1, np.int64))
    texts.context[START] = context
    beam = Beam(np.zeros(width, np.int32), np.zeros(width), np.zeros(width))
    beam.blank[0] = 1.0
    return texts, beam


@compiled
def _name(before, label):
    """The 64-bit hash of a text with one more label."""
    return before * np.uint64(6364136223846793005) + np.uint64(label)


@compiled
def advance(probabilities, frame, size, too_little, gains, behind, met, texts, beam):
    """Advance from a frame until a text with an unknown context is reached, or to the last frame.

    Args:
        probabilities: (time, num_labels) float64; labels of probability 0 are skipped.
        size: number of texts in the beam.
        too_little: share of the best text's probability below which an extension is pruned at once.
        gains, behind, met: tables of `Contexts`, from `Contexts.known`.

    Returns:
        The frame to continue from, and the number of texts in the beam.
    """
    frames, num_labels = probabilities.shape
    width = len(beam.text)
    most = width * num_labels  # steps from one frame to the next
    parent, label, gain = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most)
    step, blank, last = np.empty(width + most, np.int32), np.empty(width + most), np.empty(width + most)
    best_text, best_blank, best_last = np.empty(width, np.int32), np.empty(width), np.empty(width)
    known = True
    while known and frame < frames:
        row = probabilities[frame]
        frame += 1
        top, steps = 0.0, 0
        for place in range(size):
            text, total = beam.text[place], beam.blank[place] + beam.last[place]
            own, worth = texts.label[text], gains[texts.context[text]]
            blank[place] = total * row[BLANK]
            last[place] = beam.last[place] * row[own] if text != START else 0.0
            top = max(top, blank[place] + last[place])
            for one in range(1, num_labels):
                if row[one] > 0.0:
                    parent[steps], label[steps] = place, one
                    gain[steps] = row[one] * worth[one] * (beam.blank[place] if one == own else total)
                    top = max(top, gain[steps])
                    steps += 1
        if top == 0.0:  # everything underflows
            continue
        count = size
        for index in range(steps):
            if gain[index] >= too_little * top:
                name = _name(texts.name[beam.text[parent[index]]], label[index])
                same = -1
                for place in range(size):
                    if texts.name[beam.text[place]] == name:
                        same = place
                if same >= 0:
                    last[same] += gain[index]
                else:
                    step[count], blank[count], last[count] = index, 0.0, gain[index]
                    count += 1
        kept, scale = min(width, count), 0.0
        for rank in range(kept):
            best, highest = 0, -1.0
            for place in range(count):
                if blank[place] + last[place] > highest:
                    best, highest = place, blank[place] + last[place]
            scale = scale if rank else 1.0 / highest
            best_blank[rank], best_last[rank] = scale * blank[best], scale * last[best]
            blank[best] = last[best] = -1.0
            if best < size:
                best_text[rank] = beam.text[best]
                continue
            before, one = beam.text[parent[step[best]]], label[step[best]]
            text = best_text[rank] = texts.count[0]
            texts.count[0] += 1
            texts.before[text], texts.label[text] = before, one
            texts.name[text] = _name(texts.name[before], one)
            context = behind[texts.context[before], one]
            texts.context[text] = context if context < met else 0
            known = known and texts.context[text] > 0
        size = kept
        beam.text[:size], beam.blank[:size] = best_text[:size], best_blank[:size]
        beam.last[:size] = best_last[:size]
    return frame, size
