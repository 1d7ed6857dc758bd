"""Alignment of long texts to long recordings, part by part.

Up to about ten minutes, the package ctc-segmentation (Kürzinger et al. 2020) aligns everything in one pass,
with all lines in order and none omitted. Where two neighbouring lines come out of that pass with high
confidence, text and recording are cut, and the exact alignment, which may omit lines, works on the parts.

For hours, that pass would need gigabytes. Longer recordings are processed in windows instead: each is aligned
exactly with the text to come, and the result is kept up to the last two neighbouring lines with high
confidence, where the next window begins. Memory does not depend on the length.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from decoders.alignment.short import Placed, align
from decoders.alphabet import BLANK

LONG = 6000  # frames (some minutes) from which cutting pays
LONGER = 15_000  # frames, some ten minutes, above which one pass would take too much memory
WINDOW = 9000  # frames that are aligned at once in longer recordings
KEPT = 0.85  # share of a window behind which nothing is kept: the lines there may belong to what follows
DENSE = 1.0  # labels of the text that are tried for each frame of a window, several times what is spoken
RUN = 30  # labels of neighbouring lines that belong to a window beyond doubt; thrice as many further on
WIDER = 8  # times as many, where the text of a window seems to come later
PART = 2000  # smallest number of frames in a part
SURE = 0.7  # least mean probability, over its worst stretch, of a line beside a cut


def align_long(
    log_probs: Tensor, lines: list[list[int]], least: float, frame_seconds: float
) -> list[Placed | None]:
    """Align as `alignment.align` does, in time linear in the length instead of quadratic.

    Args:
        log_probs: (frames, labels) of a recording.
        lines: label ids of each line.
        least: see `alignment.align`.
        frame_seconds: distance of frames, seconds.
    """
    if len(log_probs) > LONGER and least:
        return _in_windows(log_probs, lines, least)
    placed: list[Placed | None] = []
    for (first, begin), (behind, end) in _parts(log_probs, lines, frame_seconds):
        for place in align(log_probs[begin:end], lines[first:behind], least):
            placed.append(place and _moved(place, begin))
    return placed


def _in_windows(log_probs: Tensor, lines: list[list[int]], least: float) -> list[Placed | None]:
    placed: list[Placed | None] = [None] * len(lines)
    frames = len(log_probs)
    first = begin = 0
    missed = None  # where the window before began, if nothing of the text was found in it
    while first < len(lines) and begin < frames:
        end = min(begin + WINDOW, frames)
        found = _found(log_probs[begin:end], lines, first, least)
        last = len(found) - 1 if end == frames else _last_sure(found, KEPT * (end - begin), RUN)
        if last is None and missed is not None:  # has the text gone on without the recording?
            far = _found(log_probs[missed : missed + WINDOW], lines, first, least, WIDER)
            last = _last_sure(far, KEPT * WINDOW, 3 * RUN)
            if last is not None:
                found, begin, end = far, missed, missed + WINDOW
        if last is None:
            missed, begin = begin, begin + (end - begin) // 2
            continue
        missed = None
        for line, place in enumerate(found[: last + 1], start=first):
            placed[line] = place and _moved(place, begin)
        begin += max((place.labels.ends[-1] for place in found[: last + 1] if place), default=end - begin)
        first += last + 1
    return placed


def _found(
    log_probs: Tensor, lines: list[list[int]], first: int, least: float, times: int = 1
) -> list[Placed | None]:
    """Where the lines from one on lie in a window; several times as many where they seem to come later."""
    behind = _behind(lines, first, times * DENSE * len(log_probs))
    return align(log_probs, lines[first:behind], least)


def _behind(lines: list[list[int]], first: int, labels: float) -> int:
    """One past the last line so that there are about so many labels from the first on, at least one line."""
    behind, total = first, 0
    while behind < len(lines) and (behind == first or total + len(lines[behind]) <= labels):
        total += len(lines[behind])
        behind += 1
    return behind


def _last_sure(found: list[Placed | None], limit: float, labels: int) -> int | None:
    """The last line before a frame that ends a run of neighbouring lines, all placed as well as most.

    Args:
        labels: that the run must have in all. Short lines, such as a lone yes, are found anywhere.
    """
    usual = np.quantile([place.confidence for place in found if place] or [0.0], 0.75)
    sure, run, lines = None, 0, 0
    for line, place in enumerate(found):
        if place is None or place.confidence < min(SURE, 0.6 * usual):
            run = lines = 0
            continue
        run, lines = run + len(place.labels.ids), lines + 1
        if lines > 1 and run >= labels and place.labels.ends[-1] <= limit:
            sure = line
    return sure


def cuts(log_probs: Tensor, lines: list[list[int]], frame_seconds: float) -> list[tuple[int, int]]:
    """Places to cut, as (line, frame) in order: the line and all later ones are spoken from that frame on."""
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
    except AssertionError:  # its exception for a text longer than the recording
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
    """Begin and end of each part, as pairs of (line, frame)."""
    whole = (0, 0), (len(lines), len(log_probs))
    if len(log_probs) < LONG:
        return [whole]
    edges = [whole[0], *cuts(log_probs, lines, frame_seconds), whole[1]]
    return list(zip(edges, edges[1:], strict=False))


def _moved(place: Placed, frames: int) -> Placed:
    labels = place.labels
    starts, ends = ([frame + frames for frame in side] for side in (labels.starts, labels.ends))
    return replace(place, labels=replace(labels, starts=starts, ends=ends))
