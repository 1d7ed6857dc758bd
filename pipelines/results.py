"""Results of the pipelines: frozen dataclasses, every number of which has a unit.

Times are seconds from the start of the media. Positions are pixels of the original image, after its EXIF
orientation has been applied, or the ink's own units; x grows to the right and y downwards. Confidences are
probabilities in [0, 1].
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines import writers
from pipelines.spans import spans_of

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Readings = tuple[tuple[str, float], ...]
"""(text, probability) of the most probable readings of a line or segment, the best first. Probabilities are
normalised over all hypotheses that the beam search kept to the end."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Check:
    """A person's statement that what is written here is right.

    Attributes:
        by: who checked it; "" if unknown.
        when: date, time and zone as in ISO 8601: "2026-11-28T19:45:00+00:00"; "" if unknown.

    Raises:
        ValueError: `when` is no such time.
    """

    by: str
    when: str

    def __post_init__(self):
        if self.when:
            if not MOMENT.fullmatch(self.when):
                raise ValueError(f"when is {self.when!r}, not a time like 2026-11-28T19:45:00+00:00")
            datetime.fromisoformat(self.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Base of all results: what a pipeline returns for one source.

    Attributes:
        notes: one sentence for each thing that was left out or is uncertain; empty if there is none.
    """

    notes: tuple[str, ...] = ()

    @property
    def extent(self) -> float:
        """Size in the unit that `measure` in `pipelines.tasks` names: seconds, lines, sentences."""
        raise TypeError(f"{type(self).__name__} states no extent")

    def save(self, path: str | Path, **options) -> Path:
        """Write the result atomically, in the format given by the file name extension.

        Args:
            path: output file, e.g. `talk.srt` or `letter.alto.xml`; missing folders are created.
            options: options of the format, e.g. `max_chars=37` for subtitles.

        Returns:
            The path written.

        Raises:
            ValueError: the extension is missing or unknown, or an option is unknown or out of range.
        """
        return writers.save(self, path, **options)


@dataclass(frozen=True, slots=True)
class Character:
    """One decoded character, from `start` to `end` in seconds."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word, from `start` to `end` in seconds; its confidence is the mean over its characters."""

    text: str
    start: float
    end: float
    confidence: float
    characters: tuple[Character, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Speech between two pauses, or one line of an aligned text.

    Attributes:
        start, end: seconds.
        confidence: mean over the words.
        words: in order of time.
        found: False for a line of an aligned text that is not in the audio.
        alternatives: other readings, if requested.
        checked: by whom and when the text was checked; None if nobody has.
    """

    text: str
    start: float
    end: float
    confidence: float
    words: tuple[Word, ...] = ()
    found: bool = True
    alternatives: Readings = ()
    checked: Check | None = None


@dataclass(frozen=True, slots=True)
class Transcript(Result):
    """Transcript of one recording.

    Attributes:
        segments: in order of time.
        duration: length of the recording in seconds.
        model: name of the model.
        source: path of the recording; None if it was no file.
    """

    segments: tuple[Segment, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """The segments' texts, separated by spaces."""
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all segments."""
        return tuple(self._each_word())

    @property
    def extent(self) -> float:
        """Length of the recording in seconds."""
        return self.duration

    def _each_word(self) -> Iterator[Word]:
        for segment in self.segments:
            yield from segment.words


@dataclass(frozen=True, slots=True)
class StrokeSpan:
    """Points `first` to `last` (inclusive) of the stroke with index `stroke`, all counted from 0."""

    stroke: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Glyph:
    """One written character.

    Attributes:
        polygon: outline of the character.
        strokes: in ink, the points that the character was written with.
    """

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    strokes: tuple[StrokeSpan, ...] = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """One written word; its confidence is the mean over its glyphs."""

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    glyphs: tuple[Glyph, ...] = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)

    @property
    def strokes(self) -> tuple[StrokeSpan, ...]:
        """In ink, the points that the word was written with."""
        return tuple(span for glyph in self.glyphs for span in glyph.strokes)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of writing.

    Attributes:
        confidence: mean over the words.
        polygon: outline of the line.
        baseline: points from left to right.
        words: in logical order.
        id: of the line in the layout file, or "".
        alternatives: other readings, if requested.
        checked: by whom and when the text was checked; None if nobody has.
    """

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()
    words: tuple[WrittenWord, ...] = ()
    id: str = ""
    alternatives: Readings = ()
    checked: Check | None = None

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class TextRegion:
    """A block of lines.

    Attributes:
        lines: in reading order.
        polygon: outline of the region.
        kind: region type of PAGE XML: "paragraph", "marginalia", "page-number", ...
        id: of the region in the layout file, or "".
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
    """Text of one page, one line image or one piece of ink.

    Attributes:
        regions: in reading order.
        width, height: size of the image in pixels, or of the ink in its own units.
        model: name of the model.
        source: path of the image, PDF or ink file; None if it was no file.
        number: of the page in the PDF or TIFF, or of the piece of ink in the file, from 1.
    """

    regions: tuple[TextRegion, ...]
    width: int
    height: int
    model: str
    source: str | None = None
    number: int | None = None

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines of all regions, in reading order."""
        return tuple(line for region in self.regions for line in region.lines)

    @property
    def words(self) -> tuple[WrittenWord, ...]:
        """The words of all lines."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        """The lines' texts, separated by line breaks."""
        return "\n".join(line.text for line in self.lines)

    @property
    def extent(self) -> float:
        """Number of lines."""
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class ActionSegment:
    """An action and when it happens.

    Attributes:
        label: name of the class.
        start, end: seconds.
        score: mean probability of the class over the segment.
    """

    label: str
    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class Actions(Result):
    """Actions in one video.

    Attributes:
        top: (label, score) of the most probable classes, in descending order; scores are probabilities.
        segments: in order of time; a short clip is one segment.
        duration: length of the video in seconds.
        model: name of the model.
        source: path of the video; None if it was no file.
        attention: (time in seconds, weight) of each frame that was sampled; weights sum to 1. Empty for a
            model that labels each frame.
        damaged: number of frames that could not be decoded and were skipped.
        checked: by whom and when the label was checked; None if nobody has.
    """

    top: tuple[tuple[str, float], ...]
    segments: tuple[ActionSegment, ...]
    duration: float
    model: str
    source: str | None = None
    attention: tuple[tuple[float, float], ...] = ()
    damaged: int = 0
    checked: Check | None = None

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.top[0][0]

    @property
    def score(self) -> float:
        """Probability of the most probable class."""
        return self.top[0][1]

    @property
    def extent(self) -> float:
        """Length of the video in seconds."""
        return self.duration


@dataclass(frozen=True, slots=True)
class CaptionWord:
    """One word of a caption, or a part of one.

    Attributes:
        attention: (rows, columns) attention weights over the picture; they sum to 1. For a video, one row
            of weights over its frames.
    """

    text: str
    confidence: float
    attention: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about a picture, or about a video from `start` to `end` in seconds.

    Attributes:
        confidence: geometric mean of the probabilities of its labels.
        alternatives: (text, confidence) of other hypotheses, the best first.
        checked: by whom and when the text was checked; None if nobody has.
    """

    text: str
    confidence: float
    words: tuple[CaptionWord, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    start: float = 0.0
    end: float = 0.0
    checked: Check | None = None


@dataclass(frozen=True, slots=True)
class Caption(Result):
    """Caption of a picture or a video.

    Attributes:
        sentences: one for a picture, one for each segment of a video in order of time.
        duration: length of the video in seconds; 0 for a picture.
        model: name of the model.
        source: path of the picture or video; None if it was no file.
    """

    sentences: tuple[Sentence, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """The sentences, separated by spaces."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def extent(self) -> float:
        """Number of sentences."""
        return len(self.sentences)

    @property
    def alternatives(self) -> tuple[tuple[str, float], ...]:
        """Alternatives of the first sentence."""
        return self.sentences[0].alternatives if self.sentences else ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A wave, a beat or an event in a signal.

    Attributes:
        label: name of its class.
        start, end: seconds.
        peak: seconds at which the signal is farthest from the line between its values at start and end.
        confidence: mean probability of the class from start to end.
        lead: name of the channel that it was found in; None if it is one of the whole signal.
    """

    label: str
    start: float
    end: float
    peak: float
    confidence: float
    lead: str | None = None


@dataclass(frozen=True, slots=True)
class Annotated(Result):
    """Marks over the time of one signal. Not a medical device.

    Attributes:
        marks: in order of time; those of the same time in the order of the leads.
        duration: length of the signal in seconds.
        rate: samples a second of the signal.
        leads: the channels that were looked at.
        model: name of the model.
        source: path of the signal; None if it was no file.
        number: of the signal in its file, from 1; None where there is one.
        signal: the signal where it is no recording that can be opened again; not compared.
    """

    marks: tuple[Mark, ...]
    duration: float
    rate: float
    leads: tuple[str, ...]
    model: str
    source: str | None = None
    number: int | None = None
    signal: object = field(default=None, compare=False, repr=False)

    @property
    def labels(self) -> dict[str, int]:
        """How many marks of each label there are, in the order of the labels."""
        return dict(sorted(Counter(mark.label for mark in self.marks).items()))

    @property
    def text(self) -> str:
        """How many marks of each label there are, in a line."""
        return ", ".join(f"{label} {count}" for label, count in self.labels.items()) or "nothing found"

    @property
    def extent(self) -> float:
        """Length of the signal in seconds."""
        return self.duration


@dataclass(frozen=True, slots=True)
class RiskCurve:
    """The risk of one person over time.

    Attributes:
        name: of the person or the stay, as the table has it.
        times: seconds from the beginning of the stay, at the end of each step.
        risks: probability of the event, from what was measured up to each of these times.
    """

    name: str
    times: tuple[float, ...]
    risks: tuple[float, ...]

    @property
    def last(self) -> float:
        """The risk at the end."""
        return self.risks[-1]


@dataclass(frozen=True, slots=True)
class Risks(Result):
    """Risks of the persons of one table. Not a medical device.

    Attributes:
        curves: one for each person, in the order of the table.
        event: whose risk it is, such as death in hospital.
        model: name of the model.
        source: path of the table; None if it was no file.
    """

    curves: tuple[RiskCurve, ...]
    event: str
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """A line for each person: the risk at the end, and the name."""
        return "\n".join(f"{100 * curve.last:.1f} %  {curve.name}" for curve in self.curves)

    @property
    def extent(self) -> float:
        """Number of persons."""
        return len(self.curves)


@dataclass(frozen=True, slots=True)
class ClassifiedText:
    """A text and its classes.

    Attributes:
        top: (label, score) of the most probable classes, in descending order; scores are probabilities.
        accepted: False where the text is of none of the classes: all scores are below their thresholds, or
            the first one is that of the class for what is none of the others.
        attention: (token, share in the decision) in the order of the text; shares sum to 1.
        several: the classes whose scores are above their thresholds, where the model gives a text several.
    """

    text: str
    top: tuple[tuple[str, float], ...]
    accepted: bool = True
    attention: tuple[tuple[str, float], ...] = ()
    several: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the text: several, one or none."""
        return self.several or ((self.top[0][0],) if self.accepted else ())

    @property
    def label(self) -> str:
        """The class of the text, or its classes with commas between; "" if it was not accepted."""
        return ", ".join(self.labels)

    @property
    def score(self) -> float:
        """Probability of the most probable class."""
        return self.top[0][1]


@dataclass(frozen=True, slots=True)
class Classified(Result):
    """Classes of one text, or of all texts in a file.

    Attributes:
        texts: in the order of the file, at least one.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    texts: tuple[ClassifiedText, ...]
    model: str
    source: str | None = None

    @property
    def label(self) -> str:
        """The most probable class of the first text; "" if it was not accepted."""
        return self.texts[0].label

    @property
    def score(self) -> float:
        """Probability of that class."""
        return self.texts[0].score

    @property
    def top(self) -> tuple[tuple[str, float], ...]:
        """The most probable classes of the first text."""
        return self.texts[0].top

    @property
    def extent(self) -> float:
        """Number of texts."""
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class TaggedToken:
    """A token with its label; `start` and `end` are places in its text, counted in characters."""

    text: str
    label: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Tokens that belong together, such as a name; `start` and `end` are places in their text.

    Attributes:
        label: its kind, without the B- or I- of its tokens' labels.
        confidence: mean over its tokens.
    """

    text: str
    label: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text and its tokens, in order."""

    text: str
    tokens: tuple[TaggedToken, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the tokens."""
        return tuple(token.label for token in self.tokens)

    @property
    def spans(self) -> tuple[TextSpan, ...]:
        """What labels such as B-city and I-city mark; empty where they are of no such scheme."""
        found = []
        for kind, first, last in spans_of(self.labels):
            tokens = self.tokens[first : last + 1]
            start, end = tokens[0].start, tokens[-1].end
            mean = sum(token.confidence for token in tokens) / len(tokens)
            found.append(TextSpan(self.text[start:end], kind, mean, start, end))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Tagged(Result):
    """Labels of the tokens of one text, or of all texts in a file.

    Attributes:
        texts: in the order of the file, at least one.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    texts: tuple[TaggedText, ...]
    model: str
    source: str | None = None

    @property
    def tokens(self) -> tuple[TaggedToken, ...]:
        """The tokens of the first text."""
        return self.texts[0].tokens

    @property
    def spans(self) -> tuple[TextSpan, ...]:
        """The spans of the first text."""
        return self.texts[0].spans

    @property
    def extent(self) -> float:
        """Number of texts."""
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class TranslatedToken:
    """A word or sign of a translation.

    Attributes:
        confidence: mean of the probabilities of its parts.
        attention: share of each token of the source sentence; shares sum to 1.
    """

    text: str
    confidence: float
    attention: tuple[float, ...] = ()

    @property
    def aligned(self) -> int | None:
        """Place of the source token with the largest share, from 0; None if shares were left out."""
        return self.attention.index(max(self.attention)) if self.attention else None


@dataclass(frozen=True, slots=True)
class TranslatedSentence:
    """A sentence and its translation.

    Attributes:
        source: the sentence.
        text: its translation.
        confidence: geometric mean of the probabilities of its labels.
        line: on which it stands, from 1.
        source_tokens: the words and signs of the sentence, to which attention was paid.
        tokens: of the translation.
        alternatives: (text, confidence) of other hypotheses, the best first.
    """

    source: str
    text: str
    confidence: float
    line: int = 1
    source_tokens: tuple[str, ...] = ()
    tokens: tuple[TranslatedToken, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Translated(Result):
    """Translation of one text, or of all lines of a file.

    Attributes:
        sentences: in the order of the text.
        lines: number of lines, empty ones included.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    sentences: tuple[TranslatedSentence, ...]
    lines: int
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """The translation, line by line as the source."""
        return "\n".join(self.by_line)

    @property
    def by_line(self) -> tuple[str, ...]:
        """The translation of each line; empty for an empty one. Spaces separate sentences."""
        texts: list[list[str]] = [[] for _ in range(self.lines)]
        for sentence in self.sentences:
            texts[sentence.line - 1].append(sentence.text)
        return tuple(" ".join(filter(None, each)) for each in texts)

    @property
    def confidence(self) -> float | None:
        """Mean over the sentences; None where there are none."""
        if not self.sentences:
            return None
        return sum(sentence.confidence for sentence in self.sentences) / len(self.sentences)

    @property
    def extent(self) -> float:
        """Number of sentences."""
        return len(self.sentences)


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A symbol of a language model in its text.

    Attributes:
        start, end: its place in the text, counted in characters.
        nats: its surprisal, the negative logarithm of its probability after all that precedes it.
        known: False for what the vocabulary does not hold.
    """

    text: str
    start: int
    end: int
    nats: float
    known: bool


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text, and how surprising a language model finds each of its symbols.

    A symbol outside the vocabulary costs the surprisal of meeting any such, and that of spelling it, so that
    probabilities of all texts sum to one (see `pipelines.reading.verbatim`).

    Attributes:
        text: in the normal form and case of the model.
        starts: where each symbol begins; the first is at 0, and each ends where the next one begins.
        surprisals: nats of each symbol.
        unknown: places, among the symbols, of those outside the vocabulary.
        unit: what the symbols are: character, subword or word.
    """

    text: str
    starts: Sequence[int]
    surprisals: Sequence[float]
    unknown: tuple[int, ...] = ()
    unit: str = "character"

    @property
    def nats(self) -> float:
        """Surprisal of the whole text."""
        return math.fsum(self.surprisals)

    @property
    def nats_per_character(self) -> float:
        """Mean surprisal of a character, in nats; for all models of the same text the same measure."""
        return self.nats / max(1, len(self.text))

    @property
    def bits_per_character(self) -> float:
        """Mean surprisal of a character, in bits."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity(self) -> float:
        """Exponential of the mean surprisal of a symbol: of a character, subword or word."""
        return math.exp(min(700.0, self.nats / max(1, len(self.surprisals))))

    @property
    def word_perplexity(self) -> float:
        """Exponential of the mean surprisal of a word with the white space beside it."""
        return math.exp(min(700.0, self.nats / max(1, len(self.text.split()))))

    @property
    def tokens(self) -> Iterator[ScoredToken]:
        """All symbols, in order."""
        unknown = set(self.unknown)
        for place, nats in enumerate(self.surprisals):
            start = self.starts[place]
            end = self.starts[place + 1] if place + 1 < len(self.starts) else len(self.text)
            yield ScoredToken(self.text[start:end], start, end, nats, place not in unknown)


@dataclass(frozen=True, slots=True)
class Likelihood(Result):
    """How probable a language model finds one text, or all texts in a file.

    Attributes:
        texts: in the order of the file, at least one.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    texts: tuple[ScoredText, ...]
    model: str
    source: str | None = None

    @property
    def tokens(self) -> Iterator[ScoredToken]:
        """The symbols of the first text."""
        return self.texts[0].tokens

    @property
    def nats(self) -> float:
        """Surprisal of all texts."""
        return math.fsum(text.nats for text in self.texts)

    @property
    def nats_per_character(self) -> float:
        """Mean surprisal of a character of all texts, in nats."""
        return self.nats / self.extent

    @property
    def bits_per_character(self) -> float:
        """Mean surprisal of a character of all texts, in bits."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity(self) -> float:
        """Exponential of the mean surprisal of a symbol of all texts."""
        return math.exp(min(700.0, self.nats / sum(len(text.surprisals) for text in self.texts)))

    @property
    def extent(self) -> float:
        """Number of characters."""
        return sum(len(text.text) for text in self.texts)


@dataclass(frozen=True, slots=True)
class Generated:
    """A text that a language model wrote.

    Attributes:
        prompt: what it was given.
        text: what it wrote behind it.
        model: name of the model.
        unknown: characters of the prompt that the model does not know.
    """

    prompt: str
    text: str
    model: str
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.prompt + self.text


def box(polygon: tuple[Point, ...]) -> Box:
    """Bounding box (left, top, right, bottom) of a polygon.

    Raises:
        ValueError: the polygon has no points.
    """
    if not polygon:
        raise ValueError("no outline is known")
    across, down = zip(*polygon, strict=True)
    return min(across), min(down), max(across), max(down)


@dataclass(frozen=True, slots=True)
class SeriesForecast:
    """The future of one series.

    Attributes:
        name: of its column, or its unique_id.
        times: of the steps, as the file writes its own.
        mean: expected value of each step.
        quantiles: (level, value of each step) by rising level; 0.5 is the median.
        past: (time, value) of the last steps before the forecast; NaN is missing.
    """

    name: str
    times: tuple[str, ...]
    mean: tuple[float, ...]
    quantiles: tuple[tuple[float, tuple[float, ...]], ...]
    past: tuple[tuple[str, float], ...] = ()

    @property
    def median(self) -> tuple[float, ...]:
        """The middle quantile."""
        return self.quantiles[len(self.quantiles) // 2][1]

    def interval(self, level: float = 0.8) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Lower and upper bounds that are to hold this share of the values.

        Raises:
            ValueError: the model has no such quantiles.
        """
        held = {round(each, 4): values for each, values in self.quantiles}
        low, high = round((1 - level) / 2, 4), round((1 + level) / 2, 4)
        if low not in held or high not in held:
            levels = ", ".join(f"{2 * each - 1:.3g}" for each, _ in self.quantiles if each > 0.5)
            raise ValueError(f"level must be one of {levels}, not {level}")
        return held[low], held[high]


@dataclass(frozen=True, slots=True)
class Forecast(Result):
    """The future of all series of a file.

    Attributes:
        series: in the order of the file, at least one.
        model: name of the model.
        source: path of the file.
        level: share of the values that the interval is to hold.
    """

    series: tuple[SeriesForecast, ...]
    model: str
    source: str | None = None
    level: float = 0.8

    @property
    def extent(self) -> float:
        """Number of series."""
        return len(self.series)


@dataclass(frozen=True, slots=True)
class AnomalyEvent:
    """Steps that stand out.

    Attributes:
        start, end: times of the first and the last, as the file has them.
        first, last: their numbers, from 0.
        score: the highest of them, from 0 to 1.
    """

    start: str
    end: str
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class SeriesAnomalies:
    """What stands out in one series.

    Attributes:
        name: of its column, or its unique_id.
        times: of its steps, as the file has them.
        values: of its steps; NaN is missing.
        scores: of its steps, from 0 to 1; none depends on what comes after it.
        threshold: score from which a step belongs to an event.
        events: in order.
    """

    name: str
    times: tuple[str, ...]
    values: tuple[float, ...]
    scores: tuple[float, ...]
    threshold: float
    events: tuple[AnomalyEvent, ...]


@dataclass(frozen=True, slots=True)
class Anomalies(Result):
    """What stands out in the series of a file.

    Attributes:
        series: in the order of the file, at least one.
        model: name of the model.
        source: path of the file.
    """

    series: tuple[SeriesAnomalies, ...]
    model: str
    source: str | None = None

    @property
    def extent(self) -> float:
        """Number of series."""
        return len(self.series)
