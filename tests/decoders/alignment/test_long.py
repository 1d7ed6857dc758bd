"""Long recordings: cutting them changes nothing, and lines that are not said do not mislead the cuts."""

import numpy as np
import pytest
import torch

from decoders.alignment import long as long_alignment
from decoders.alignment.long import align_long, cuts
from decoders.alignment.short import align

LABELS = 12


def recording(lines: list[list[int]], generator: torch.Generator) -> tuple[torch.Tensor, list[int]]:
    """Posteriors that say the lines with pauses between them, and the frame at which each begins."""
    rows, starts = [], []
    for line in lines:
        rows += [0] * int(torch.randint(5, 30, (), generator=generator))
        starts.append(len(rows))
        for label in line:
            rows += [label] * int(torch.randint(1, 3, (), generator=generator))
            rows += [0] * int(torch.randint(1, 5, (), generator=generator))
    rows += [0] * 20
    logits = torch.randn(len(rows), LABELS, generator=generator)
    logits[torch.arange(len(rows)), torch.tensor(rows)] += 8.0
    return logits.log_softmax(dim=1), starts


def some_lines(count: int, generator: torch.Generator) -> list[list[int]]:
    return [torch.randint(1, LABELS, (20,), generator=generator).tolist() for _ in range(count)]


@pytest.fixture
def short(monkeypatch):
    """Parts small enough for a quick test."""
    monkeypatch.setattr(long_alignment, "LONG", 500)
    monkeypatch.setattr(long_alignment, "PART", 200)


def test_cutting_changes_nothing(short):
    generator = torch.Generator().manual_seed(1)
    lines = some_lines(25, generator)
    log_probs, starts = recording(lines, generator)
    assert len(cuts(log_probs, lines, 0.03)) >= 3
    found = align_long(log_probs, lines, 0.1, 0.03)
    assert [place.labels.starts[0] for place in found] == starts
    for part, whole in zip(found, align(log_probs, lines, 0.1), strict=True):
        assert part.labels.ids == whole.labels.ids
        # What a label says last may as well belong to the gap behind it, where that is an edge.
        assert np.abs(np.subtract(part.labels.ends, whole.labels.ends)).max() <= 1


def test_lines_that_are_not_said_are_still_left_out(short):
    generator = torch.Generator().manual_seed(2)
    lines, foreign = some_lines(25, generator), some_lines(3, generator)
    log_probs, starts = recording(lines, generator)
    text = lines[:8] + foreign + lines[8:]
    found = align_long(log_probs, text, 0.1, 0.03)
    assert found[8:11] == [None] * 3
    assert [place.labels.starts[0] for place in found[:8] + found[11:]] == starts


def test_a_text_longer_than_the_recording_is_not_cut(short):
    generator = torch.Generator().manual_seed(3)
    log_probs, _ = recording(some_lines(25, generator), generator)
    assert cuts(log_probs, some_lines(500, generator), 0.03) == []


@pytest.fixture
def windows(monkeypatch):
    """Windows small enough for a quick test: each holds about five lines."""
    for name, value in (("LONG", 100), ("LONGER", 500), ("WINDOW", 600)):
        monkeypatch.setattr(long_alignment, name, value)


def test_windows_find_every_line(windows):
    generator = torch.Generator().manual_seed(4)
    lines = some_lines(40, generator)
    log_probs, starts = recording(lines, generator)
    assert len(log_probs) > 3 * 600
    found = align_long(log_probs, lines, 0.1, 0.03)
    assert [place.labels.starts[0] for place in found] == starts
    assert [place.labels.ids for place in found] == lines


@pytest.mark.parametrize(("before", "behind"), [(60, 12), (12, 60)], ids=["text", "recording"])
def test_windows_go_over_long_stretches_of_one_without_the_other(windows, before, behind):
    """Many lines that are not said; or minutes of speech that is not in the text."""
    generator = torch.Generator().manual_seed(5)
    lines, foreign = some_lines(24, generator), some_lines(max(before, behind), generator)
    if before > behind:
        text, (log_probs, starts) = lines[:12] + foreign + lines[12:], recording(lines, generator)
        expected = starts[:12] + [None] * len(foreign) + starts[12:]
    else:
        log_probs, starts = recording(lines[:12] + foreign + lines[12:], generator)
        text, expected = lines, starts[:12] + starts[-12:]
    found = align_long(log_probs, text, 0.1, 0.03)
    assert [place and place.labels.starts[0] for place in found] == expected


@pytest.mark.parametrize("seed", [1, 3, 4])
@pytest.mark.parametrize("foreign", [0, 8, 20])
def test_windows_do_not_jump_to_a_later_passage_that_is_alike(windows, foreign, seed):
    """A refrain, and other speech of some minutes behind it, at the places where windows begin and end."""
    generator = torch.Generator().manual_seed(seed)
    lines, refrain = some_lines(9 + seed, generator), some_lines(4, generator)
    between, last, other = (some_lines(count, generator) for count in (6, 6, foreign))
    log_probs, starts = recording(lines + refrain + other + between + refrain + last, generator)
    found = align_long(log_probs, lines + refrain + between + refrain + last, 0.1, 0.03)
    first = len(lines) + len(refrain)
    expected = starts[:first] + starts[first + foreign :]
    placed = [place and place.labels.starts[0] for place in found]
    assert sum(one == other for one, other in zip(placed, expected, strict=True)) >= len(expected) - 1
