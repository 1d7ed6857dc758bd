"""Long texts in long recordings: where to cut both, so that each part can be aligned exactly.

The package ctc-segmentation (Kürzinger et al. 2020) runs through hours in one pass, with every
line in order and none left out. Where two neighbouring lines come out of that pass with high
confidence, text and recording belong together: there they are cut, and the exact alignment, which
can leave lines out, works on the parts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from decoders.alignment.short import Placed, align
from decoders.alphabet import BLANK

LONG = 6000  # frames, some minutes, above which it pays to cut
PART = 2000  # fewest frames of a part
SURE = 0.7  # mean probability, over a line's worst stretch, of a line that may border a cut


def align_long(
    log_probs: Tensor, lines: list[list[int]], least: float, frame_seconds: float
) -> list[Placed | None]:
    """As `alignment.align`, at a cost that grows with the length, not with its square.

    Args:
        log_probs: (frames, labels) of a recording.
        lines: label ids of each line.
        least: see `alignment.align`.
        frame_seconds: seconds from frame to frame.
    """
    placed: list[Placed | None] = []
    for (first, begin), (behind, end) in _parts(log_probs, lines, frame_seconds):
        for place in align(log_probs[begin:end], lines[first:behind], least):
            placed.append(place and _moved(place, begin))
    return placed


def cuts(log_probs: Tensor, lines: list[list[int]], frame_seconds: float) -> list[tuple[int, int]]:
    """(line, frame) pairs, in order, such that the line and all after it are said from the frame on."""
    from ctc_segmentation import (
        CtcSegmentationParameters,
        ctc_segmentation,
        determine_utterance_segments,
        prepare_token_list,
    )

    config = CtcSegmentationParameters(index_duration=frame_seconds, blank=BLANK)
    config.char_list = list(range(log_probs.size(1)))
    tokens = [np.array(line) for line in lines]
    matrix, begins = prepare_token_list(config, tokens)
    try:
        timings, scores, _ = ctc_segmentation(config, log_probs.numpy(), matrix)
    except AssertionError:  # its word for a text that is longer than the recording
        return []
    segments = determine_utterance_segments(config, begins, scores, timings, tokens)
    found: list[tuple[int, int]] = []
    for line in range(1, len(lines)):
        (_, end, before), (start, _, after) = segments[line - 1 : line + 1]
        frame = round((end + start) / 2 / frame_seconds)
        if min(before, after) > np.log(SURE) and frame - (found[-1][1] if found else 0) >= PART:
            found.append((line, frame))
    return found


def _parts(log_probs: Tensor, lines: list[list[int]], frame_seconds: float):
    """Pairs of (line, frame) at which each part begins and ends."""
    whole = (0, 0), (len(lines), len(log_probs))
    if len(log_probs) < LONG:
        return [whole]
    edges = [whole[0], *cuts(log_probs, lines, frame_seconds), whole[1]]
    return list(zip(edges, edges[1:], strict=False))


def _moved(place: Placed, frames: int) -> Placed:
    labels = place.labels
    starts, ends = ([frame + frames for frame in side] for side in (labels.starts, labels.ends))
    return replace(place, labels=replace(labels, starts=starts, ends=ends))
