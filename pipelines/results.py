"""What the pipelines give back: frozen dataclasses whose numbers all carry a unit.

Times are seconds from the start of the media; positions are pixels of the original image (of its
upright form, where its EXIF data says that it was turned), or the ink's own units; x grows to the
right and y downwards; confidences are probabilities in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines import writers

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Readings = tuple[tuple[str, float], ...]
"""(text, probability) of the likeliest readings of the same, the one that was chosen first. Probabilities are
shares in those of all readings that the search kept to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a pipeline gives back for one source; subclasses are frozen dataclasses.

    Attributes:
        notes: what was left out of the source or is uncertain, a sentence each; empty where all is well.
    """

    notes: tuple[str, ...] = ()

    @property
    def extent(self) -> float:
        """How much it holds, for rates: seconds, lines or sentences; see `measure` in `pipelines.tasks`."""
        raise NotImplementedError

    def save(self, path: str | Path, **options) -> Path:
        """Write this result in the format that the path's ending names, atomically.

        Args:
            path: e.g. `talk.srt` or `letter.alto.xml`; missing folders are made. The formats of a type of
                result are those in its row of `pipelines.tasks`.
            options: of the format, e.g. `max_chars=37` for subtitles.

        Returns:
            The path written.

        Raises:
            ValueError: for a missing or unknown ending, or an option that is wrong.
        """
        return writers.save(self, path, **options)


@dataclass(frozen=True, slots=True)
class Character:
    """One decoded symbol."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Word:
    """Characters between two spaces; its confidence is the mean of theirs."""

    text: str
    start: float
    end: float
    confidence: float
    characters: tuple[Character, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech between pauses, or one line of a text that was aligned.

    `found` is False for a line of a known text that is not in the audio; `alternatives` are empty unless
    asked for.
    """

    text: str
    start: float
    end: float
    confidence: float
    words: tuple[Word, ...] = ()
    found: bool = True
    alternatives: Readings = ()


@dataclass(frozen=True, slots=True)
class Transcript(Result):
    """What was said in one recording, and when.

    Attributes:
        segments: in order of time.
        duration: seconds of the recording.
        model: name of the model that wrote it.
        source: path of the recording, or None for an array.
    """

    segments: tuple[Segment, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(self._each_word())

    @property
    def extent(self) -> float:
        """Seconds."""
        return self.duration

    def _each_word(self) -> Iterator[Word]:
        for segment in self.segments:
            yield from segment.words


@dataclass(frozen=True, slots=True)
class StrokeSpan:
    """Points `first` to `last`, both included, of stroke number `stroke`, all counted from 0."""

    stroke: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Glyph:
    """One written character: its outline, and in ink the points that made it."""

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    strokes: tuple[StrokeSpan, ...] = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """Glyphs between two spaces; its confidence is the mean of theirs."""

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    glyphs: tuple[Glyph, ...] = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)

    @property
    def strokes(self) -> tuple[StrokeSpan, ...]:
        return tuple(span for glyph in self.glyphs for span in glyph.strokes)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of writing.

    Attributes:
        baseline: from its left to its right end.
        id: in the layout file that it came from, or "".
        alternatives: empty unless asked for.
    """

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()
    words: tuple[WrittenWord, ...] = ()
    id: str = ""
    alternatives: Readings = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class TextRegion:
    """Lines that belong together, in reading order.

    Attributes:
        kind: as PAGE names it: "paragraph", "marginalia", "page-number", ...
    """

    lines: tuple[TextLine, ...]
    polygon: tuple[Point, ...] = ()
    kind: str = "paragraph"
    id: str = ""

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class Page(Result):
    """What is written on one page, on one line image, or in one piece of ink.

    Attributes:
        regions: in reading order.
        width, height: pixels of the image, or the extent of the ink.
        model: name of the model that read it.
        source: path of the image, PDF or ink; None for an array.
        number: of the page in its PDF, or of the piece of ink in its file, from 1.
    """

    regions: tuple[TextRegion, ...]
    width: int
    height: int
    model: str
    source: str | None = None
    number: int | None = None

    @property
    def lines(self) -> tuple[TextLine, ...]:
        return tuple(line for region in self.regions for line in region.lines)

    @property
    def words(self) -> tuple[WrittenWord, ...]:
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def extent(self) -> float:
        """Number of lines."""
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class ActionSegment:
    """A stretch of a video in which one thing happens."""

    label: str
    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class Actions(Result):
    """What happens in one video.

    Attributes:
        top: (label, score) of the likeliest classes, the likeliest first; scores are probabilities.
        segments: when what happens, in order of time; of a short clip one, as long as itself.
        duration: seconds of the video.
        model: name of the model that watched it.
        source: path of the video, or None for an array.
        attention: (seconds, share) of each frame looked at in the decision; shares sum to 1. Empty
            for a model that judges frame by frame.
        damaged: frames that could not be decoded, and were left out.
    """

    top: tuple[tuple[str, float], ...]
    segments: tuple[ActionSegment, ...]
    duration: float
    model: str
    source: str | None = None
    attention: tuple[tuple[float, float], ...] = ()
    damaged: int = 0

    @property
    def label(self) -> str:
        return self.top[0][0]

    @property
    def score(self) -> float:
        return self.top[0][1]

    @property
    def extent(self) -> float:
        """Seconds."""
        return self.duration


@dataclass(frozen=True, slots=True)
class CaptionWord:
    """One word or piece of a sentence.

    Attributes:
        attention: rows over the picture of the share that each place had in it, top to bottom and left
            to right; shares sum to 1. For a video, one row over its frames.
    """

    text: str
    confidence: float
    attention: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said of a picture, or of a stretch of a video from `start` to `end` in seconds.

    Attributes:
        confidence: probability of the sentence, a word's on average.
        alternatives: (text, confidence) of other sentences, the likeliest first.
    """

    text: str
    confidence: float
    words: tuple[CaptionWord, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True, slots=True)
class Caption(Result):
    """What a picture or a video shows, in words.

    Attributes:
        sentences: one for a picture, one for each stretch of a video in order of time.
        duration: seconds of the video; 0 for a picture.
        model: name of the model that wrote it.
        source: path of the picture or video, or None for an array.
    """

    sentences: tuple[Sentence, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def extent(self) -> float:
        """Number of sentences."""
        return len(self.sentences)

    @property
    def alternatives(self) -> tuple[tuple[str, float], ...]:
        """Of the first sentence."""
        return self.sentences[0].alternatives if self.sentences else ()


def box(polygon: tuple[Point, ...]) -> Box:
    """(left, top, right, bottom) of a polygon.

    Raises:
        ValueError: it has no points.
    """
    if not polygon:
        raise ValueError("no outline is known")
    across, down = zip(*polygon, strict=True)
    return min(across), min(down), max(across), max(down)
