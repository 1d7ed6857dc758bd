"""Lines rendered in fonts, endlessly many: what hands that no data set shows may look like.

    python -m recipes.handwriting.rendered_lines --fonts DIR --texts FILE... --out DIR --count 200

writes some of them as a data set, to be looked at or scored on. Each line depends only on the seed and its
number, so that any process can draw any of them.
"""

from __future__ import annotations

import argparse
import random
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from pipelines.errors import DataError, TriscribeError
from pipelines.media.text import read_text
from recipes.handwriting.line_texts import LineTexts
from recipes.handwriting.scans import scanned

ENDINGS = {".ttf", ".otf", ".ttc"}
TRIES = 20  # to find a text that a font can write
HEIGHTS = 44, 104  # least and most height of a line, pixels
X_HEIGHTS = 0.18, 0.38  # of the letter x, as a share of the line's height
BASELINES = 0.62, 0.76  # from the top, likewise
PROBED = 64  # font size at which glyphs are compared, pixels
CURLED = str.maketrans({"'": "’"})
INSTEAD = ("'", "’"), ("«", '"'), ("»", '"'), ("–", "-"), ("—", "-"), ("…", "..."), ("œ", "oe")


class RenderedLines:
    """Lines in the fonts of a folder.

    Args:
        fonts: font files.
        texts: what they say.
        letters: those that lines may have; a font writes what it has of them.
        seed: of all lines.

    Raises:
        DataError: a file is no font, or none writes any of the letters.
    """

    def __init__(self, fonts: Sequence[Path], texts: LineTexts, letters: Iterable[str], seed: int = 1):
        letters = set(letters)
        written = [(path, written_by(path, letters | {"’"})) for path in fonts]
        self.fonts = [
            (path, able & letters, "’" in able) for path, able in written if len(able & letters) > 1
        ]
        if not self.fonts:
            where = fonts[0].parent if fonts else "--fonts"
            raise DataError(where, "no font there has the letters of the data", "give fonts for its script")
        self.texts, self.seed = texts, seed
        if not features.check("raqm"):
            warnings.warn(
                "Pillow has no Raqm library here: fonts are laid out letter by letter, so that joined ones "
                "part and scripts that need shaping look wrong",
                stacklevel=2,
            )

    def text(self, number: int) -> str:
        """What a line says, in letters that its font has."""
        return self._chosen(number)[1]

    def image(self, number: int) -> np.ndarray:
        """A line, (height, width) uint8 grey."""
        (path, _, curls), text = self._chosen(number)
        chance = np.random.default_rng((self.seed, number))
        return scanned(*_drawn(path, text, curls, chance), chance)

    def _chosen(self, number: int) -> tuple[tuple, str]:
        chance = random.Random(f"{self.seed} {number}")
        font = self.fonts[chance.randrange(len(self.fonts))]
        able = font[1]
        text = ""
        for _ in range(TRIES):
            text = _replaced(self.texts.line(chance), able)
            if text and able.issuperset(text):
                break
        else:
            text = "".join(letter for letter in text if letter in able).strip()
            text = " ".join(text.split()) or max(able)
        return font, text


def font_files(folder: Path) -> list[Path]:
    """The fonts directly in a folder, in the order of their names.

    Raises:
        DataError: there are none.
    """
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS)
    if not found:
        raise DataError(folder, "has no fonts", "give a folder with .ttf, .otf or .ttc files in it")
    return found


def written_by(path: Path, letters: Iterable[str]) -> set[str]:
    """The letters that a font truly writes.

    Not those with an empty glyph, those drawn as what is not in the font, and those drawn like others:
    accented ones without their accent, and small ones as capitals.

    Raises:
        DataError: the file is no font.
    """
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, lazy=True, fontNumber=0) as file:
            known = set(file.getBestCmap() or ())
        font = _font(path, PROBED)
        missing = _glyph(font, "\U0010fffe")
        shapes = {letter: _glyph(font, letter) for letter in letters if ord(letter) in known}
    except (TTLibError, OSError, ValueError, AssertionError) as error:
        raise DataError(path, f"is no font that can be used: {error}", "take it out of the folder") from error
    able = {" "}
    for letter, shape in shapes.items():
        plain, capital = unicodedata.normalize("NFD", letter)[0], letter.upper()
        alike = plain != letter and shape == (shapes.get(plain) or _glyph(font, plain))
        if len(capital) == 1 and capital != letter and ord(capital) in known:
            alike |= shape == (shapes.get(capital) or _glyph(font, capital))
        if shape and shape != missing and not alike:
            able.add(letter)
    return able


def _glyph(font: ImageFont.FreeTypeFont, letter: str) -> bytes:
    """What a letter looks like; nothing if no ink is seen."""
    mask = font.getmask(letter)
    return repr(mask.size).encode() + bytes(mask) if mask.getbbox() else b""


@lru_cache(maxsize=512)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def _replaced(text: str, able: set[str]) -> str:
    """The text with what is missing replaced by what means the same."""
    for missing, instead in INSTEAD:
        if missing in text and missing not in able:
            text = text.replace(missing, instead)
    return " ".join(text.split())


def _drawn(path: Path, text: str, curls: bool, chance: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """A text in a font: ink (height, width) uint8, its baseline and the height of its letter x in pixels.

    Words are laid out one by one, with gaps of varying width between them. With `curls`, an apostrophe may
    be drawn as a curly one.
    """
    height = int(chance.integers(HEIGHTS[0], HEIGHTS[1] + 1))
    tall = _font(path, PROBED).getbbox("x", anchor="ls")
    x_height = height * chance.uniform(*X_HEIGHTS)
    size = int(np.clip(PROBED * x_height / max(4, -tall[1]), 6, 4 * height))
    font, baseline = _font(path, size), round(height * chance.uniform(*BASELINES))
    tracking, wide = chance.uniform(-0.06, 0.15) * x_height, chance.uniform(0.4, 1.1) * x_height
    spaced = chance.random() < 0.1
    if curls and chance.random() < 0.5:
        text = text.translate(CURLED)
    placed, x = [], x_height * chance.uniform(0.1, 1.2)
    joined = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)  # and led by Raqm
    for word in (text,) if joined else text.split(" "):
        parts = word if spaced and not joined else (word,)
        for part in parts:
            placed.append((x, part))
            x += font.getlength(part) + (tracking if spaced else 0.0)
        x += wide * chance.uniform(0.7, 1.5)
    width = round(x + x_height * chance.uniform(0.0, 0.8))
    _, top, _, bottom = font.getbbox(text, anchor="ls")  # crops hold most of what is written
    baseline = max(baseline, round(-top * chance.uniform(0.85, 1.1)))
    height = max(height, baseline + round(bottom * chance.uniform(0.6, 1.2)))
    canvas = Image.new("L", (max(8, width), height))
    draw = ImageDraw.Draw(canvas)
    for left, part in placed:
        draw.text((left, baseline), part, fill=255, font=font, anchor="ls")
    return np.asarray(canvas), baseline, max(3, round(x_height))


def write_lines(lines: RenderedLines, folder: Path, count: int, split: str = "test") -> None:
    """Write the first lines as a data set: images, and `labels.tsv` with their texts and the split."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        name = f"{number:05}.png"
        Image.fromarray(lines.image(number)).save(folder / name)
        rows.append(f"{name}\t{lines.text(number)}\t{split}\n")
    (folder / "labels.tsv").write_text("".join(rows), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write rendered lines as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser("recipes.handwriting.rendered_lines", description=__doc__.split("\n")[0])
    parser.add_argument("--fonts", type=Path, required=True, help="folder of fonts")
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="books or lists of words")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data set")
    parser.add_argument("--count", type=int, default=100, help="number of lines (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (default: 1)")
    given = parser.parse_args(arguments)
    try:
        texts = [read_text(path) for path in given.texts]
        lines = LineTexts(texts, range(12, 70))
        write_lines(
            RenderedLines(font_files(given.fonts), lines, set("".join(texts)), given.seed),
            given.out,
            given.count,
        )
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
