"""Sentences about pictures and videos: as text, tables for training, subtitles, and maps of attention."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, ClassVar, TextIO

from pipelines.errors import MediaError
from pipelines.results import Caption, Segment, Sentence, Transcript
from pipelines.writers.lines import distinct_names, one_line, printable
from pipelines.writers.subtitles import SRT, VTT
from pipelines.writers.tables import write_json

if TYPE_CHECKING:
    import numpy as np

NUMBERED = re.compile(r"(?:COCO_\w+_)?([0-9]+)")
STAYS = 5.0  # seconds that the sentence of a picture, which has no times, stays as a subtitle
ACROSS = 6  # words beside each other in a picture of attention
INCHES = 2.0  # of each


@dataclass(frozen=True)
class CaptionText:
    """One line a sentence."""

    extension: ClassVar[str] = "txt"

    def write(self, caption: Caption, file: TextIO) -> None:
        file.writelines(one_line(sentence.text) + "\n" for sentence in caption.sentences)


@dataclass(frozen=True)
class CaptionJSON:
    """Everything that is known of a caption, under the names of its fields.

    Times are rounded to the millisecond, confidences and attention to four decimals.
    """

    extension: ClassVar[str] = "json"

    attention: bool = True
    """Whether words hold where they looked: rows over the picture, each from left to right."""

    def __post_init__(self):
        if not isinstance(self.attention, bool):
            raise ValueError(f"attention is {self.attention!r}; give True or False")

    def write(self, caption: Caption, file: TextIO) -> None:
        content = {
            "text": caption.text,
            "duration": round(float(caption.duration), 3),
            "model": caption.model,
            "source": None if caption.source is None else printable(str(caption.source)),
            "sentences": [self._sentence(sentence) for sentence in caption.sentences],
        }
        write_json(content, file, caption.notes)

    def _sentence(self, sentence: Sentence) -> dict:
        words = []
        for word in sentence.words:
            words.append({"text": word.text, "confidence": round(word.confidence, 4)})
            if self.attention:
                words[-1]["attention"] = [[round(share, 4) for share in row] for row in word.attention]
        return {
            "text": sentence.text,
            "start": round(float(sentence.start), 3),
            "end": round(float(sentence.end), 3),
            "confidence": round(sentence.confidence, 4),
            "words": words,
            "alternatives": [
                {"text": text, "confidence": round(confidence, 4)}
                for text, confidence in sentence.alternatives
            ],
        }


@dataclass(frozen=True)
class COCO:
    """Images and annotations as COCO's captions have them, which can be trained on and scored.

    The id of an image is the number that its file is named by, as in COCO, if all files have such names;
    otherwise images are numbered from 1. All images of a folder are in one file, which pycocotools opens
    with `COCO(path)`; its list of annotations is what `loadRes` takes as results.
    """

    extension: ClassVar[str] = "coco.json"
    shared: ClassVar[str] = "captions.coco.json"

    def write(self, caption: Caption, file: TextIO) -> None:
        self.write_records([self.record(caption)], file)

    def record(self, caption: Caption) -> dict:
        """An image and its sentences."""
        source = printable(str(caption.source)) if caption.source else "image"
        return {"source": source, "captions": [sentence.text for sentence in caption.sentences]}

    def write_records(self, records: Iterable[dict], file: TextIO) -> None:
        """Images and annotations of all records."""
        records = list(records)
        names = distinct_names([record["source"] for record in records])
        found = [NUMBERED.fullmatch(PurePath(name).stem) for name in names]
        numbers = [int(match[1]) for match in found if match]
        if len(set(numbers)) < len(names):
            numbers = list(range(1, len(names) + 1))
        annotations = [
            {"image_id": number, "caption": text}
            for number, record in zip(numbers, records, strict=True)
            for text in record["captions"]
        ]
        content = {
            "images": [
                {"id": number, "file_name": name} for number, name in zip(numbers, names, strict=True)
            ],
            "annotations": [{"id": place, **each} for place, each in enumerate(annotations, start=1)],
        }
        write_json(content, file)


@dataclass(frozen=True)
class CaptionSRT(SRT):
    """SubRip subtitles: what each stretch of a video shows."""

    max_seconds: float = 3600.0
    """Longest time that a sentence stays, in seconds."""

    def write(self, caption: Caption, file: TextIO) -> None:
        super().write(told(caption), file)


@dataclass(frozen=True)
class CaptionVTT(VTT):
    """WebVTT subtitles: what each stretch of a video shows."""

    max_seconds: float = 3600.0
    """Longest time that a sentence stays, in seconds."""

    def write(self, caption: Caption, file: TextIO) -> None:
        super().write(told(caption), file)


@dataclass(frozen=True)
class AttentionMap:
    """A PNG picture: for each word, where over the picture the model looked when it wrote it."""

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    dpi: float = 100.0
    """Pixels an inch; a word's picture is two inches wide."""

    def __post_init__(self):
        if not 0 < self.dpi < math.inf:
            raise ValueError(f"dpi is {self.dpi!r}; give pixels an inch, above 0")

    def write(self, caption: Caption, file: BinaryIO) -> None:
        from matplotlib.figure import Figure

        blocks = [(sentence, _shown(caption, sentence)) for sentence in caption.sentences]
        heights = [math.ceil((len(sentence.words) + 1) / ACROSS) for sentence, _ in blocks]
        size = (ACROSS * INCHES, sum(heights) * (INCHES + 0.25))
        figure = Figure(size, layout="constrained")
        parts = figure.subfigures(len(blocks), 1, height_ratios=heights, squeeze=False)
        for (sentence, pixels), part, rows in zip(blocks, parts[:, 0], heights, strict=True):
            panels = part.subplots(rows, ACROSS, squeeze=False).ravel()
            for panel in panels:
                panel.axis("off")
            _draw(panels, sentence, pixels)
        figure.savefig(file, format="png", dpi=self.dpi, metadata={"Software": None})


def told(caption: Caption) -> Transcript:
    """The sentences with their times, as if they were said; that of a picture stays a while."""
    sentences, duration = caption.sentences, caption.duration
    times = [(each.start, each.end) for each in sentences]
    if not duration:
        times, duration = [(0.0, STAYS)] * len(sentences), STAYS
    segments = [
        Segment(each.text, start, end, each.confidence)
        for each, (start, end) in zip(sentences, times, strict=True)
    ]
    return Transcript(tuple(segments), duration, caption.model, caption.source)


def _shown(caption: Caption, sentence: Sentence) -> np.ndarray:
    """The picture, or the frame in the middle of the sentence's stretch, (height, width, 3) uint8.

    Raises:
        MediaError: it was not read from a file, or the file is no longer there.
    """
    from pipelines.media.images import read_image
    from pipelines.media.video import open_video

    if caption.source is None:
        raise MediaError("<array>", "is in no file that could be drawn", "describe a file, or write json")
    if not caption.duration:
        return read_image(caption.source, colour=True).pixels
    film = open_video(caption.source)
    (frame,) = film.frames(count=1, start=sentence.start, end=sentence.end or None, strict=False)
    return frame.pixels


def _draw(panels: np.ndarray, sentence: Sentence, pixels: np.ndarray) -> None:
    """The picture, and again under the attention of each word; of a video, the shares of its frames."""
    height, width = pixels.shape[:2]
    panels[0].imshow(pixels)
    panels[0].set_title(f"{sentence.confidence:.2f}", fontsize=8)
    for panel, word in zip(panels[1:], sentence.words, strict=False):
        panel.set_title(f"{word.text} {word.confidence:.2f}", fontsize=9)
        if len(word.attention) == 1:
            panel.bar(range(len(word.attention[0])), word.attention[0])
            continue
        panel.imshow(pixels.mean(axis=2), cmap="gray")
        extent = (0, width, height, 0)
        panel.imshow(word.attention, "inferno", alpha=0.6, extent=extent, interpolation="bicubic", vmin=0.0)


FORMATS = {
    "txt": CaptionText,
    "json": CaptionJSON,
    "coco": COCO,
    "coco.json": COCO,
    "srt": CaptionSRT,
    "vtt": CaptionVTT,
    "png": AttentionMap,
}
