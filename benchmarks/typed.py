"""F1 of line detection on typewritten pages made by program, and what goes wrong, kind by kind.

    python -m benchmarks.typed --fonts FOLDER [--part dev|held-out] [--pages 60] [--pictures FOLDER]

FOLDER holds TrueType or OpenType faces of typewriters; where it has a fonts.tsv with the columns `file` and
`kind`, those of kind `typewriter` type and `cursive` and `print` write by hand. The two parts have other
seeds: constants are tuned on dev, and held-out is only measured. See benchmarks/typed_pages.py.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from time import process_time

import cv2
import numpy as np

from benchmarks.typed_pages import TypedPage, make_page, read_fonts
from pipelines.layout.found import draw_lines, find_lines
from recipes.scoring.baseline_scores import mean_score, score_page

SEEDS = {"dev": 1_000, "held-out": 900_000}
KINDS = ("body", "last", "heading", "cell", "number", "date", "note", "inserted")
FAULTS = ("joined", "torn", "past its end", "hole", "blot", "stamp", "fold", "border", "nowhere")


def spread(line: list[tuple[float, float]]) -> np.ndarray:
    """(n, 2) points along a baseline, about four pixels apart."""
    points = np.asarray(line, float)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.linspace(0, along[-1], int(along[-1] / 4) + 2)
    return np.stack([np.interp(places, along, axis) for axis in points.T], axis=1)


def covered(line: np.ndarray, by: np.ndarray, tolerance: float) -> float:
    """Share of the points of a line that have one of another within the tolerance."""
    if not len(by):
        return 0.0
    apart = np.hypot(*(line[:, None] - by).transpose(2, 0, 1))
    return float((apart.min(axis=1) < tolerance).mean())


def judge(page: TypedPage, found: list, tolerance: float) -> tuple[Counter, Counter, Counter]:
    """How many lines of each kind there are, how many of these are missed, and the faults of found lines."""
    given = [spread(line.baseline) for line in page.lines]
    lines = [spread(line) for line in found]
    shares = np.array([[covered(truth, line, tolerance) for line in lines] for truth in given])
    shares = shares.reshape(len(given), len(lines))
    there = Counter(line.kind for line in page.lines)
    faults: Counter = Counter()
    owner = np.zeros(len(given), int) - 1
    for number, line in enumerate(lines):
        on = np.flatnonzero(shares[:, number] > 0.5)
        part = np.flatnonzero(shares[:, number] > 0.1)
        if len(on) > 1:
            faults["joined"] += 1
        if len(on):
            largest = on[np.argmax([len(given[each]) for each in on])]
            owner[largest] = number
            if len(on) == 1:
                past = 1 - covered(line, np.concatenate([given[each] for each in on]), 2 * tolerance)
                faults["past its end"] += past * len(line) * 4 > 3 * tolerance
        elif len(part):
            faults["torn"] += 1
        else:
            faults[_mark(page, line)] += 1
    missed: Counter = Counter()
    for number, line in enumerate(page.lines):
        missed[line.kind] += owner[number] < 0
    return there, missed, faults


def _mark(page: TypedPage, line: np.ndarray) -> str:
    """What a found line that is none lies on."""
    x, y = line.mean(axis=0)
    for mark in page.marks:
        left, top, right, bottom = mark.box
        if left - 9 < x < right + 9 and top - 9 < y < bottom + 9:
            return mark.kind
    return "nowhere"


def draw(path: Path, page: TypedPage, regions: list) -> None:
    picture = draw_lines(page.pixels, regions)
    for line in page.lines:
        cv2.polylines(picture, [np.rint(line.baseline).astype(np.int32)], False, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fonts", type=Path, required=True, help="folder of faces")
    parser.add_argument("--part", choices=SEEDS, default="dev")
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--pictures", type=Path, help="where to draw the pages")
    parser.add_argument("--rows", action="store_true", help="print the scores of each page")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    typed, hands = read_fonts(options.fonts)
    scores, seconds = [], 0.0
    there, missed, faults = Counter(), Counter(), Counter()
    for seed in range(SEEDS[options.part], SEEDS[options.part] + options.pages):
        page = make_page(seed, typed, hands)
        began = process_time()
        regions = find_lines(page.pixels)
        seconds += process_time() - began
        found = [shape.baseline for region in regions for shape in region]
        scores.append(score_page(found, [line.baseline for line in page.lines]))
        counts = judge(page, found, page.tolerance)
        for total, count in zip((there, missed, faults), counts, strict=True):
            total.update(count)
        if options.rows:
            what = ", ".join(f"{name} {n}" for count in counts[1:] for name, n in count.items() if n)
            print(f"{seed} {page.pixels.shape} {scores[-1].f1:.1%} of {len(page.lines)}: {what}", flush=True)
        if options.pictures:
            draw(options.pictures / f"{seed}.png", page, regions)
    total = mean_score(scores)
    print(
        f"{options.part}, {options.pages} pages, {there.total()} lines: precision {total.precision:.1%}, "
        f"recall {total.recall:.1%}, F1 {total.f1:.1%}, {seconds / options.pages:.2f} CPU s/page"
    )
    print("missed: " + ", ".join(f"{kind} {missed[kind]} of {there[kind]}" for kind in KINDS))
    print("found and wrong: " + ", ".join(f"{fault} {faults[fault]}" for fault in FAULTS))


if __name__ == "__main__":
    main()
