"""Placing known labels: exact on posteriors whose answer is known, and as the paper's own package does it."""

import itertools

import numpy as np
import pytest
import torch

from decoders.alignment import short as alignment
from decoders.alignment.short import align, best_reading
from decoders.ctc import frames_needed


def posteriors(frames, said, labels=6, p=0.98):
    """(frames, labels) log-probabilities: blank but where `said` is {frame: label}."""
    table = torch.full((frames, labels), (1 - p) / (labels - 1))
    best = torch.tensor([said.get(frame, 0) for frame in range(frames)])
    table[torch.arange(frames), best] = p
    return table.log()


def spans(placed):
    return [list(zip(each.labels.starts, each.labels.ends, strict=True)) for each in placed]


def speech(generator, count, labels, start=0):
    """Random labels with random gaps: {frame: label}."""
    frames = start + torch.randint(2, 5, (count,), generator=generator).cumsum(0)
    said = torch.randint(1, labels, (count,), generator=generator)
    return dict(zip(frames.tolist(), said.tolist(), strict=True))


def test_frames_are_exact():
    said = {0: 1, 3: 2, 4: 2, 7: 3, 8: 1, 20: 1, 22: 1, 39: 2}
    placed = align(posteriors(40, said), [[1, 2, 3], [1], [1, 1, 2]])
    assert spans(placed) == [[(0, 1), (3, 5), (7, 8)], [(8, 9)], [(20, 21), (22, 23), (39, 40)]]
    assert [each.labels.ids for each in placed] == [[1, 2, 3], [1], [1, 1, 2]]
    for each in placed:
        assert each.labels.confidences == pytest.approx([0.98] * len(each.labels.ids))
        label, gap = len(each.labels.ids), each.labels.ends[-1] - each.labels.starts[0]
        assert each.confidence == pytest.approx(0.98 ** (gap / label))


def test_equal_labels_need_a_gap_and_others_do_not():
    (placed,) = align(posteriors(3, {0: 1, 1: 2, 2: 3}), [[1, 2, 3]])
    assert spans([placed]) == [[(0, 1), (1, 2), (2, 3)]]
    (placed,) = align(posteriors(3, {0: 1, 1: 1, 2: 1}), [[1, 1]])
    assert spans([placed]) == [[(0, 1), (2, 3)]]


@pytest.mark.parametrize("where", ["before", "between", "behind"])
def test_speech_outside_of_the_text_costs_nothing(where):
    other = {"before": range(2, 20, 2), "between": range(50, 80, 2), "behind": range(105, 119, 2)}[where]
    said = {frame: 1 + frame % 5 for frame in other} | {30: 1, 33: 2, 90: 3, 94: 4}
    placed = align(posteriors(120, said), [[1, 2], [3, 4]])
    assert spans(placed) == [[(30, 31), (33, 34)], [(90, 91), (94, 95)]]
    assert min(each.confidence for each in placed) > 0.95


def test_a_line_that_is_not_said_has_low_confidence_and_leaves_its_neighbours():
    said = {10: 1, 13: 2, 16: 3, 60: 4, 63: 1, 66: 5}
    first, missing, last = align(posteriors(80, said), [[1, 2, 3], [5, 2, 5, 2], [4, 1, 5]])
    assert spans([first, last]) == [[(10, 11), (13, 14), (16, 17)], [(60, 61), (63, 64), (66, 67)]]
    assert missing.confidence < 0.01 < 0.9 < min(first.confidence, last.confidence)


def test_confidence_is_that_of_the_worst_labels():
    said = {frame: 1 + frame // 4 % 2 for frame in range(0, 400, 4)}
    table = posteriors(400, said, p=0.999)
    for frame in range(200, 240, 4):
        table[frame] = torch.full((6,), 1 / 6).log()
    (placed,) = align(table, [list(said.values())])
    assert placed.confidence == pytest.approx(1 / 6, rel=0.02)


def test_confidence_does_not_grow_with_the_pause_that_a_missing_line_fills():
    lines = [[1, 2, 3], [5, 4, 5, 2], [4, 1, 5]]
    short, long = (
        align(
            posteriors(30 + pause, {10: 1, 13: 2, 16: 3, 20 + pause: 4, 23 + pause: 1, 26 + pause: 5}), lines
        )
        for pause in (5, 300)
    )
    assert max(short[1].confidence, long[1].confidence) < 0.01
    assert min(long[0].confidence, long[2].confidence) > 0.9


@pytest.mark.parametrize("block", [1, 1024])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_lines_that_are_not_said_are_left_out(place, block, monkeypatch):
    monkeypatch.setattr(alignment, "SHORTEST_BLOCK", block)
    said = {0: 1, 2: 2, 4: 3, 6: 4, 7: 1, 10: 5, 12: 2, 13: 4}
    lines = [[1, 2, 3], [4, 1, 5], [2, 4]]
    table = posteriors(14, said)
    expected = spans(align(table, lines))
    missing = [[3, 3, 5, 2, 1], [5, 5, 1, 1, 2, 2, 1, 3] * 20]
    placed = align(table, lines[:place] + missing + lines[place:], least=0.2)
    assert placed[place] is placed[place + 1] is None
    assert spans(placed[:place] + placed[place + 2 :]) == expected


def test_all_lines_may_be_left_out():
    assert align(posteriors(5, {}), [[1, 2], [1] * 9], least=0.1) == [None, None]


@pytest.mark.parametrize("least, found", [(0.05, True), (0.15, False)])
def test_a_line_is_left_out_where_its_labels_are_too_improbable(least, found):
    table = posteriors(40, {})
    for frame, label in {10: 1, 15: 2, 20: 3}.items():
        table[frame] = torch.tensor([0.9, *([0.0] * 5)]).log()
        table[frame, label] = np.log(0.09)
    (placed,) = align(table, [[1, 2, 3]], least)
    assert bool(placed) is found


@pytest.mark.parametrize("block", [1, 1024])
def test_no_path_is_better(block, monkeypatch):
    monkeypatch.setattr(alignment, "SHORTEST_BLOCK", block)
    generator = torch.Generator().manual_seed(block)
    for _ in range(30):
        lines = [torch.randint(1, 4, (2,), generator=generator).tolist() for _ in range(2)]
        targets = lines[0] + lines[1]
        table = torch.randn(frames_needed(targets) + 2, 4, generator=generator).mul(3).log_softmax(1)
        found = path_of(align(table, lines), table)
        assert found == pytest.approx(best_of_all(table, lines), abs=1e-4)


def path_of(placed, table):
    """Log-probability of what was found, blanks and what is free around the lines included."""
    total = table.amax(dim=1)
    for each in placed:
        found = each.labels
        total[found.starts[0] : found.ends[-1]] = table[found.starts[0] : found.ends[-1], 0]
        for label, start, end in zip(found.ids, found.starts, found.ends, strict=True):
            total[start:end] = table[start:end, label]
    return float(total.sum())


def best_of_all(table, lines):
    """The same for the best of all ways to cut the frames into labels and gaps."""
    targets = lines[0] + lines[1]
    edges, best = {0, len(lines[0]), len(targets)}, -np.inf
    free = table.amax(dim=1)
    for cuts in itertools.combinations_with_replacement(range(len(table) + 1), 2 * len(targets)):
        spans = list(zip(cuts[::2], cuts[1::2], strict=True))
        if any(start == end for start, end in spans):
            continue
        if any(
            one == two and left[1] == right[0]
            for one, two, left, right in zip(targets, targets[1:], spans, spans[1:], strict=False)
        ):
            continue
        bounds = [0, *cuts, len(table)]
        total = sum(float(table[s:e, t].sum()) for t, (s, e) in zip(targets, spans, strict=True))
        for index, (start, end) in enumerate(zip(bounds[::2], bounds[1::2], strict=True)):
            total += float((free if index in edges else table[:, 0])[start:end].sum())
        best = max(best, total)
    return best


def test_agrees_with_the_package_of_the_papers_authors():
    package = pytest.importorskip("ctc_segmentation")
    generator = torch.Generator().manual_seed(1)
    said = speech(generator, 300, labels=20, start=5)
    noise = torch.randn(max(said) + 10, 20, generator=generator)
    table = (posteriors(max(said) + 10, said, labels=20, p=0.9) + noise).log_softmax(1)
    labels = list(said.values())
    lines = [labels[start : start + 30] for start in range(0, 300, 30)]
    config = package.CtcSegmentationParameters(index_duration=1.0, char_list=[str(i) for i in range(20)])
    truth, begins = package.prepare_token_list(config, [np.array(line) for line in lines])
    frames, _, _ = package.ctc_segmentation(config, table.numpy(), truth)
    for line, placed, begin in zip(lines, align(table, lines), begins, strict=False):
        theirs = frames[begin + 1 : begin + 1 + len(line)]
        assert np.mean(np.abs(theirs - placed.labels.starts) <= 1) > 0.95


def test_long_recordings_where_text_and_speech_drift_apart():
    generator = torch.Generator().manual_seed(2)
    intro = speech(generator, 3000, labels=28)
    text = speech(generator, 1500, labels=28, start=max(intro) + 10)
    advert = speech(generator, 1500, labels=28, start=max(text) + 10)
    more = speech(generator, 500, labels=28, start=max(advert) + 10)
    frames = sorted(text | more)
    table = posteriors(max(more) + 5, intro | text | advert | more, labels=28, p=0.9)
    lines = [frames[start : start + 50] for start in range(0, len(frames), 50)]
    said = text | more
    placed = align(table, [[said[frame] for frame in line] for line in lines])
    assert [each.labels.starts for each in placed] == lines


@pytest.mark.parametrize("lines", [[[1, 2, 3, 4]], [[1, 1]], [[1, 2], [2]]])
def test_more_labels_than_frames_are_refused(lines):
    frames = frames_needed([label for line in lines for label in line]) - 1
    with pytest.raises(ValueError, match="frames"):
        align(posteriors(frames, {}), lines)


def test_a_line_without_labels_is_refused():
    with pytest.raises(ValueError, match="no labels"):
        align(posteriors(9, {}), [[1], []])


def test_best_reading_is_what_the_frames_say():
    table = posteriors(30, {3: 4, 8: 1, 11: 2, 14: 3, 25: 5})
    assert best_reading(table, [[1, 3], [1, 2, 3], [1, 2, 2, 3]]) == 1
    assert best_reading(table, [[3, 2, 1], [2, 3]]) == 1
    assert best_reading(table[:2], [[1, 2, 3, 4, 5], [1, 2, 3, 4]]) == 0


def test_of_passages_that_are_alike_the_first_is_taken():
    generator = torch.Generator().manual_seed(0)
    refrain, other = [1, 2, 3, 1, 4], [5, 4, 5, 2]
    for frames in (30, 300, 3000):
        start = int(torch.randint(frames - 20, (), generator=generator))
        said = {start + 2 * place: label for place, label in enumerate(refrain)}
        placed = align(posteriors(frames, said), [other, refrain, other, refrain, other, refrain], 0.1)
        assert [place is not None for place in placed] == [False, True, False, False, False, False]
        placed = align(posteriors(frames, said), [refrain, other, refrain], 0.1)
        assert [place is not None for place in placed] == [True, False, False]
