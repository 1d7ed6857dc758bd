"""How long the page of results of a folder takes to write, and to open in a browser.

    python -m benchmarks.results_page [--count 3000]

A folder is made of as many results: a third recordings of 20 words, a third images of one line, and a third
scans of 7.7 megapixels with 30 lines. Needs Chromium and websocket-client.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.batch.index import write_index
from pipelines.results import Page, Segment, TextLine, TextRegion, Transcript, Word, WrittenWord
from tests.data.browser import CHROMIUM, Browser
from tests.data.media import tone, write_audio


def words(random_: random.Random, count: int) -> list[str]:
    letters = "aaabcdeeeeefghiiijklmnnoopqrrsssttuuvwxyz"
    return ["".join(random_.choices(letters, k=random_.randint(2, 9))) for _ in range(count)]


def spoken(random_: random.Random, source: Path) -> Transcript:
    texts = words(random_, 20)
    said = tuple(Word(text, 0.4 * n, 0.4 * n + 0.3, random_.random() ** 0.2) for n, text in enumerate(texts))
    return Transcript((Segment(" ".join(texts), 0, 8, 0.9, said),), 8.0, "m", source=str(source))


def line(random_: random.Random, top: int) -> TextLine:
    texts, left, found = words(random_, 9), 100.0, []
    for text in texts:
        right = left + 22 * len(text)
        box = (left, top), (right, top), (right, top + 60.0), (left, top + 60.0)
        found.append(WrittenWord(text, random_.random() ** 0.2, box))
        left = right + 20
    outline = tuple((100 + left / 12 * n, top - 5.0 + n % 3) for n in range(12))
    outline += tuple((100 + left / 12 * n, top + 65.0 + n % 3) for n in range(12))[::-1]
    return TextLine(" ".join(texts), 0.9, outline, ((100, top + 50), (left, top + 50)), tuple(found))


def written(random_: random.Random, source: Path, count: int) -> Page:
    lines = tuple(line(random_, 100 + 100 * number) for number in range(count))
    return Page((TextRegion(lines),), 2400, 200 + 100 * count, "m", source=str(source))


def fill(folder: Path, count: int) -> Path:
    random_, out, rows = random.Random(0), folder / "out", []
    recording, strip, sheet = (
        write_audio(folder / "a.wav", tone(8.0)),
        folder / "line.png",
        folder / "page.jpg",
    )
    noise = np.random.default_rng(0).integers(0, 256, (400, 300), dtype=np.uint8)
    Image.fromarray(noise).resize((1000, 80)).save(strip)
    Image.fromarray(noise).resize((2400, 3200), Image.Resampling.BICUBIC).save(sheet)
    for number in range(count):
        kind = number % 3
        source = folder / f"in{number % 7}" / f"{number:05}{('.wav', '.png', '.jpg')[kind]}"
        source.parent.mkdir(exist_ok=True)
        os.link((recording, strip, sheet)[kind], source)
        result = spoken(random_, source) if kind == 0 else written(random_, source, 1 if kind == 1 else 30)
        result.save(out / f"{number:05}.json")
        task = "handwriting" if kind else "speech"
        rows.append({"source": str(source), "task": task, "status": "done", "outputs": [f"{number:05}.json"]})
    (out / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=3000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as name:
        out = fill(Path(name), count)
        for what in ("anew", "again, nothing new"):
            started = time.perf_counter(), time.process_time()
            page = write_index(out)
            seconds, computing = time.perf_counter() - started[0], time.process_time() - started[1]
            print(f"{count} results written {what}: {seconds:.1f} s ({computing:.1f} s of computing)")
        made = sum(path.stat().st_size for path in (out / ".triscribe" / "images").iterdir())
        print(f"page {page.stat().st_size / 1e6:.1f} MB, small images {made / 1e6:.1f} MB")
        if CHROMIUM is None:
            print("Chromium is not installed")
            return
        times, computing, searches = [], [], []
        search = "(start => { by('search').value = 'ab'; choose(); return performance.now() - start; })"
        search += "(performance.now())"
        with Browser() as browser:
            for _ in range(5):
                browser.ask("Page.navigate", url="about:blank")
                started, before = time.perf_counter(), browser.computing()
                browser.ask("Page.navigate", url=page.as_uri())
                browser.wait("document.querySelectorAll('.item').length === 50")
                times.append(time.perf_counter() - started)
                computing.append(browser.computing() - before)
                searches.append(browser.run(search))
            assert browser.faults == []
        print(
            f"opened in {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f}, 5 times),"
            f" of which {statistics.median(computing):.2f} s are computing, on all cores"
        )
        print(f"searched in {statistics.median(searches):.0f} ms")


if __name__ == "__main__":
    main()
