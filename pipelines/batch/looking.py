"""Tells writing from other pictures by what a handwriting model read in it."""

from __future__ import annotations

from pipelines.results import Page

LETTERS = 3.0
"""Letters a line, each counted by the line's confidence, from which a picture is writing. Of 80
photographs and pictures, 79 have less than 2.6, with either bundled model; of 90 images of lines and pages,
also of hands and languages that the model does not know, 86 have more."""
LINE_ASPECT, LOW_ASPECT = 3.0, 2.0  # so many times as wide as high, a picture with any letter is a line
LOW = 200  # pixels; pictures less high than that are lines from LOW_ASPECT


def shows_writing(page: Page) -> bool:
    """Whether what was found in a picture is writing: lines of several letters, read with some confidence.

    In scenes, a model for handwriting finds lines of one or two letters. A layout file says that there is
    writing.
    """
    lines = [line for line in page.lines if line.text]
    if not lines:
        return False
    aspect = LOW_ASPECT if page.height < LOW else LINE_ASPECT
    if any(line.id for line in lines) or page.width >= aspect * page.height:
        return True
    certain = sum(len(line.text.replace(" ", "")) * line.confidence for line in lines)
    return certain / len(page.lines) >= LETTERS
