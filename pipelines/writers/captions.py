"""Captions as text, JSON, COCO annotations and subtitles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar, TextIO

from pipelines.results import Caption, Segment, Sentence, Transcript
from pipelines.writers.lines import distinct_names, one_line, printable
from pipelines.writers.subtitles import SRT, VTT
from pipelines.writers.tables import check_of, write_json

NUMBERED = re.compile(r"(?:COCO_\w+_)?([0-9]+)")
STAYS = 5.0  # seconds that the sentence of a picture, which has no times, stays as a subtitle


@dataclass(frozen=True)
class CaptionText:
    """A line for each sentence."""

    extension: ClassVar[str] = "txt"

    def write(self, caption: Caption, file: TextIO) -> None:
        file.writelines(one_line(sentence.text) + "\n" for sentence in caption.sentences)


@dataclass(frozen=True)
class CaptionJSON:
    """All fields of the result under their names.

    Times are rounded to the millisecond, confidences and attention to four decimals.
    """

    extension: ClassVar[str] = "json"

    attention: bool = True
    """Write the attention of each word: rows over the picture, each from left to right."""

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
            **check_of(sentence),
            "words": words,
            "alternatives": [
                {"text": text, "confidence": round(confidence, 4)}
                for text, confidence in sentence.alternatives
            ],
        }


@dataclass(frozen=True)
class COCOResults:
    """Results as COCO's evaluation takes them: a list of image ids and captions, for pycocotools' `loadRes`.

    The id of an image is the number that its file is named by, as in COCO, if all files have such names;
    otherwise images are numbered from 1, and their names are given too. There is one caption an image: the
    sentences of a video are joined. All images of a folder are in one file.
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
        """The captions of all records."""
        records = list(records)
        names = distinct_names([record["source"] for record in records])
        numbers, are_own = _numbers(names)
        found = []
        for number, name, record in zip(numbers, names, records, strict=True):
            found.append({"image_id": number, "caption": one_line(" ".join(record["captions"]))})
            if not are_own:
                found[-1]["file_name"] = name
        write_json(found, file)


@dataclass(frozen=True)
class COCODataset(COCOResults):
    """A data set as COCO's captions are one, with images and annotations; it can be trained on.

    Images have the ids of `COCOResults`, and each sentence is an annotation. All images of a folder are in
    one file, which pycocotools opens with `COCO(path)`.
    """

    extension: ClassVar[str] = "coco-dataset.json"
    shared: ClassVar[str] = "captions.coco-dataset.json"

    def write_records(self, records: Iterable[dict], file: TextIO) -> None:
        """Images and annotations of all records."""
        records = list(records)
        names = distinct_names([record["source"] for record in records])
        numbers, _ = _numbers(names)
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
    """SubRip subtitles with the sentences of a video."""

    max_seconds: float = 3600.0
    """Longest time that a sentence stays, in seconds."""

    def write(self, caption: Caption, file: TextIO) -> None:
        super().write(told(caption), file)


@dataclass(frozen=True)
class CaptionVTT(VTT):
    """WebVTT subtitles with the sentences of a video."""

    max_seconds: float = 3600.0
    """Longest time that a sentence stays, in seconds."""

    def write(self, caption: Caption, file: TextIO) -> None:
        super().write(told(caption), file)


def told(caption: Caption) -> Transcript:
    """The sentences as a transcript with their times; that of a picture stays a while."""
    sentences, duration = caption.sentences, caption.duration
    times = [(each.start, each.end) for each in sentences]
    if not duration:
        times, duration = [(0.0, STAYS)] * len(sentences), STAYS
    segments = [
        Segment(each.text, start, end, each.confidence)
        for each, (start, end) in zip(sentences, times, strict=True)
    ]
    return Transcript(tuple(segments), duration, caption.model, caption.source)


def _numbers(names: list[str]) -> tuple[list[int], bool]:
    """Ids of images, and whether they are their names' own."""
    found = [NUMBERED.fullmatch(PurePath(name).stem) for name in names]
    numbers = [int(match[1]) for match in found if match]
    if len(set(numbers)) == len(names):
        return numbers, True
    return list(range(1, len(names) + 1)), False


FORMATS = {
    "txt": CaptionText,
    "json": CaptionJSON,
    "coco": COCOResults,
    "coco.json": COCOResults,
    "coco-dataset": COCODataset,
    "coco-dataset.json": COCODataset,
    "srt": CaptionSRT,
    "vtt": CaptionVTT,
}
