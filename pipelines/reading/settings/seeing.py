"""How pages, pictures and videos are read."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Literal

from pipelines.reading.settings.running import BatchOptions, ManyOptions, check_file
from pipelines.reading.settings.search import SearchOptions


@dataclass(frozen=True)
class HandwritingOptions(SearchOptions):
    """How handwriting is read."""

    layout: str | os.PathLike = "auto"
    """Where the lines are: auto, line, page, or a PAGE or ALTO file or a folder of them. With line,
    the image is one line; with page, lines are detected. The default takes the PAGE or ALTO file of the
    image's name beside it, if there is one; otherwise an image less than 200 pixels high, or at least 4 times
    as wide as high, is a line."""
    rotate: Literal["auto", "0", "90", "180", "270"] = "auto"
    """Degrees clockwise by which the image is turned to be upright. With auto, pages whose lines are detected
    are turned where they lie on a side or upside down. Results are in pixels of the image as it was given."""

    def __post_init__(self):
        super().__post_init__()
        if str(self.rotate) not in ("auto", "0", "90", "180", "270"):
            raise ValueError(f"rotate must be auto, 0, 90, 180 or 270, not {self.rotate!r}")
        if self.layout not in ("auto", "line", "page") and not os.path.isdir(self.layout):
            check_file("layout", self.layout, "auto, line, page, or a PAGE or ALTO file or a folder of them")


@dataclass(frozen=True)
class VideoOptions(BatchOptions):
    """How actions in videos are recognised."""

    window: float | None = None
    """Window in seconds over which a long video is classified (default: as in training)."""
    switch: float = 4.0
    """Penalty in nats for a change of label within a video; a higher one gives fewer segments."""
    top: int = 5
    """Number of classes to list with their scores."""
    strict: bool = True
    """Refuse damaged videos; otherwise read what can be read of them."""

    def __post_init__(self):
        super().__post_init__()
        if self.window is not None and not 0 < self.window < math.inf:
            raise ValueError(f"window must be above 0 seconds, not {self.window}")
        if not self.switch >= 0 or self.top < 1:
            raise ValueError(f"switch must be 0 or more and top at least 1, not {self.switch} and {self.top}")


@dataclass(frozen=True)
class RecognitionOptions(ManyOptions, HandwritingOptions, VideoOptions):
    """How to recognise; options that do not apply to a source are ignored."""

    pages: str | None = None
    """Pages of PDF documents, such as 2-5,7 (default: all)."""
    dpi: float | None = None
    """Resolution in pixels per inch at which PDF pages are rendered; by default that of the images where a
    page consists of them, or else 300."""

    def __post_init__(self):
        super().__post_init__()
        if self.pages is not None:
            from pipelines.media.documents import page_ranges

            page_ranges(self.pages)
        if self.dpi is not None and not 0 < self.dpi < math.inf:
            raise ValueError(f"dpi must be above 0, not {self.dpi}")


@dataclass(frozen=True)
class CaptionOptions(ManyOptions, BatchOptions):
    """How pictures and videos are captioned."""

    width: int = 3
    """Beam width. A wider beam finds likelier sentences, but duller ones."""
    length_power: float = 0.6
    """Exponent of the length normalisation: 0 is none, 1 the mean over labels."""
    coverage: float = 0.0
    """Weight of the coverage penalty, in nats for each place of the picture."""
    longest: int = 100
    """Longest sentence, in labels."""
    window: float | None = None
    """Longest stretch of a video that one sentence describes, in seconds (default: as in training)."""
    change: float = 0.25
    """Cosine distance between frames at which a new sentence begins; 0 cuts videos evenly."""
    strict: bool = True
    """Refuse damaged videos; otherwise read what can be read of them."""

    def __post_init__(self):
        super().__post_init__()
        if min(self.length_power, self.coverage, self.change) < 0 or min(self.width, self.longest) < 1:
            raise ValueError("length_power, coverage and change must be 0 or more, width and longest 1")
        if self.window is not None and not 0 < self.window < math.inf:
            raise ValueError(f"window must be above 0 seconds, not {self.window}")
