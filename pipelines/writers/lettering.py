"""Text in pictures: a font that has most alphabets, and text cut or wrapped to a width."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

ELLIPSIS = "…"


@lru_cache(maxsize=16)
def font(size: int, bold: bool = False):
    """DejaVu Sans, which comes with matplotlib, at so many pixels."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


def line_height(letters) -> int:
    """Pixels from one line to the next: accents and descenders do not touch."""
    ascent, descent = letters.getmetrics()
    return ascent + descent


def cut(text: str, letters, width: float) -> str:
    """The text, its end replaced by an ellipsis if it is wider than so many pixels."""
    if letters.getlength(text) <= width:
        return text
    low, high = 0, len(text)  # the longest beginning that fits lies between
    while low < high:
        middle = (low + high + 1) // 2
        if letters.getlength(text[:middle].rstrip() + ELLIPSIS) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + ELLIPSIS if low else ""


def wrap(text: str, letters, width: float, most: int) -> list[str]:
    """The text in at most so many lines of at most so many pixels.

    Lines end at spaces, and after underscores and hyphens, as class names have them; what does not fit is
    cut off with an ellipsis.
    """
    parts, lines = _parts(text), [""]
    for place, part in enumerate(parts):
        if not lines[-1] or letters.getlength((lines[-1] + part).rstrip()) <= width:
            lines[-1] += part
        elif len(lines) < most:
            lines.append(part)
        else:
            lines[-1] += "".join(parts[place:])
            break
    return [cut(line.rstrip(), letters, width) for line in lines]


def _parts(text: str) -> list[str]:
    """The text in parts that may begin a line."""
    parts, start = [], 0
    for place, letter in enumerate(text):
        if letter in " _-":
            parts.append(text[start : place + 1])
            start = place + 1
    return [*parts, text[start:]]
