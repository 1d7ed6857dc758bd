"""Precision, recall and F1 of line detection on pages with known baselines, by collection.

    python benchmarks/pages.py FOLDER [--pictures FOLDER] [--model M [--language-model own]]

FOLDER has a folder for each collection, with JPEG images and PAGE or ALTO files beside them. The scores are
those of the cBAD competitions; see recipes/scoring/baseline_scores.py. With `--pictures`, every page is
written as PNG at half size, with detected lines in colour and given baselines in black. With `--model`, pages
are also recognised: CER of the whole text of each collection, with given and with detected lines.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import process_time

import cv2
import numpy as np

from pipelines.layout.found import draw_lines, find_lines
from pipelines.layout.given import is_layout, read_layout
from pipelines.layout.lines import LineShape
from pipelines.media.images import read_image
from pipelines.model import SequenceModel, load
from pipelines.recognition import recognize
from recipes.scoring.baseline_scores import mean_score, score_page
from recipes.scoring.error_rates import error_rate

ROW = "{:<24} {:>6} {:>6} {:>6} {:>10} {:>8} {:>8} {:>10}"


def draw(path: Path, page: np.ndarray, regions: list[list[LineShape]], given: list) -> None:
    picture = draw_lines(page, regions)
    for baseline in given:
        cv2.polylines(picture, [np.rint(baseline).astype(np.int32)], False, (0, 0, 0), 1, cv2.LINE_AA)
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), cv2.cvtColor(half, cv2.COLOR_RGB2BGR))


def measure(folder: Path, pictures: Path | None) -> float | None:
    """F1 of a collection; prints one row per page, then that of the collection."""
    scores, counts, seconds = [], np.zeros(2, int), []
    for layout in sorted(path for path in folder.glob("*.xml") if is_layout(path)):
        page = read_image(layout.with_suffix(".jpg")).pixels
        given = [line.shape.baseline for region in read_layout(layout).regions for line in region.lines]
        began = process_time()
        regions = find_lines(page)
        seconds.append(process_time() - began)
        found = [shape.baseline for region in regions for shape in region]
        scores.append(score_page(found, given))
        counts += len(given), len(found)
        report(layout.stem, "", len(given), len(found), scores[-1], seconds[-1])
        if pictures:
            draw(pictures / f"{folder.name}-{layout.stem}.png", page, regions, given)
    if not scores:
        return None
    total = mean_score(scores)
    report(folder.name, len(scores), *counts, total, float(np.mean(seconds)))
    print()
    return total.f1


def read(folder: Path, model: SequenceModel, language_model: str | None) -> None:
    """Print the CER of the pages of a collection."""
    layouts = sorted(path for path in folder.glob("*.xml") if is_layout(path))
    if not layouts:
        return
    lines = ([line for region in read_layout(path).regions for line in region.lines] for path in layouts)
    given = [" ".join(model.normalisation(line.text) for line in page if line.text) for page in lines]
    rates = []
    for layout in ("auto", "page"):
        images = [path.with_suffix(".jpg") for path in layouts]
        pages = recognize(images, model, layout=layout, language_model=language_model)
        texts = [" ".join(line.text for region in page.regions for line in region.lines) for page in pages]
        rates.append(error_rate(given, [model.normalisation(text) for text in texts], "character").value)
    print(
        f"{folder.name}, {model.name}: CER {rates[0]:.1%} with given lines, {rates[1]:.1%} with those found"
    )


def report(name: str, pages, given: int, found: int, score, seconds: float) -> None:
    shares = (f"{share:.1%}" for share in (score.precision, score.recall, score.f1))
    print(ROW.format(name[:24], pages, given, found, *shares, f"{seconds:.2f}"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="collections of pages")
    parser.add_argument("--pictures", type=Path, help="where to draw the pages")
    parser.add_argument("--model", help="file or bundled name: also read the pages")
    parser.add_argument("--language-model", help="own, or a text file: read them with a language model")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    heads = ("pages", "given", "found", "precision", "recall", "F1", "CPU s/page")
    print(ROW.format("", *heads))
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir())
    measured = [f1 for folder in folders if (f1 := measure(folder, options.pictures)) is not None]
    if measured:
        print(f"mean F1 of {len(measured)} collections: {np.mean(measured):.1%}")
    if options.model:
        for folder in folders:
            read(folder, load(options.model), options.language_model)


if __name__ == "__main__":
    main()
