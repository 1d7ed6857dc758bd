"""transcribe(): recordings in, transcripts with times and confidences out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from decoders.contract import Labels, Search
from pipelines.errors import TriscribeError
from pipelines.media.audio import Source, open_audio
from pipelines.media.loudness import HOP, MARGIN, decibels, heard, rms, sounding, with_breath
from pipelines.media.recording import SILENCE, Audio, resample
from pipelines.model import SequenceModel
from pipelines.reading.batches import Decode, Reading, model_for, raising, read
from pipelines.reading.computing import device_for
from pipelines.reading.inference import for_inference
from pipelines.reading.language import fusion
from pipelines.reading.settings import SpeechOptions
from pipelines.reading.words import Symbol, readings_of, words_of
from pipelines.results import Character, Segment, Transcript, Word

PAUSE = 0.6  # seconds of quiet at which a long recording may be cut
FAINT = (
    35.0  # dB below the loudest moment so far from where on a sound must last to be speech: breaths do not
)
UNEVEN = 15.0  # dB between speakers in a short recording from where on they are read apart
CLEAR = 0.8  # confidence of a character from which on it is read clearly
SHORTEST_FAINT = 0.6  # seconds that it must last
EDGE = 0.1  # seconds at a tightly cut end in which times may be drawn together


@dataclass(frozen=True)
class Piece:
    """A stretch of one recording.

    Attributes:
        samples: at the model's rate.
        offset: where they begin, in seconds; below 0 where silence was added before the recording.
        lead, trail: seconds of silence added before and behind, see `loudness.with_breath`.
    """

    samples: np.ndarray
    offset: float
    lead: float = 0.0
    trail: float = 0.0

    def span(self, rate: int) -> tuple[float, float]:
        """Where the recording's own samples begin and end, in its seconds."""
        return self.offset + self.lead, self.offset + len(self.samples) / rate - self.trail

    @property
    def inputs(self) -> Tensor:
        return torch.from_numpy(self.samples)


def transcribe(
    source: Source | Iterable[Source],
    model: SequenceModel | str | Path | None = None,
    sample_rate: int | None = None,
    **options,
) -> Transcript | Iterator[Transcript]:
    """Write down what is said.

    Args:
        source: a path to anything FFmpeg opens (audio tracks of videos included), a binary file
            object, an array or tensor of samples; or a list or generator of these.
        model: a loaded model, a file, or a bundled model's name; None is the bundled one.
        sample_rate: Hz of arrays.
        options: see `SpeechOptions`.

    Returns:
        A Transcript; for many sources a generator of them, in order, batched by length across
        recordings and with memory that does not grow with their number or length.

    Raises:
        MediaError: a recording cannot be read (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used.
    """
    chosen = SpeechOptions.of(options)
    model = speech_model(model)
    if isinstance(source, (str, os.PathLike, np.ndarray, Tensor)) or hasattr(source, "read"):
        (result,) = read_recordings([source], model, chosen, sample_rate)
        if isinstance(result, TriscribeError):
            raise result
        return result
    return raising(read_recordings(source, model, chosen, sample_rate), chosen.errors)


def speech_model(model: SequenceModel | str | Path | None) -> SequenceModel:
    """The model asked for; raises ModelError when it is not one for speech."""
    return model_for("speech", model)


def cut(audio: Audio, longest: float, sample_rate: int, strict: bool = True) -> Iterator[Piece]:
    """Pieces of at most `longest` seconds, cut at pauses, resampled one by one.

    A recording that is short enough stays whole but for silence at its ends, which is left out, unless
    somebody in it speaks much more quietly than others; one with nothing but silence gives no pieces.
    Where speech reaches an end of the recording, silence is added; pieces amid it keep their neighbourhood.
    Only some pieces' worth of audio is in memory.
    """
    rate = audio.sample_rate
    limit = round(longest * rate)
    rest, begin, loudest = np.zeros(0, np.float32), 0, 0.0

    def pieces(spans: list[tuple[int, int]], last: bool = False) -> Iterator[Piece]:
        for start, end in spans:
            if np.abs(rest[start:end]).max(initial=0.0) >= SILENCE:
                samples = resample(rest[start:end], rate, sample_rate)
                ends = begin + start == 0, last and end == len(rest)
                samples, lead, trail = with_breath(samples, sample_rate, ends)
                yield Piece(samples, (begin + start) / rate - lead, lead, trail)

    for block in audio.blocks(longest * 2, strict=strict):
        loudest = max(loudest, _loudness(block))
        rest = np.concatenate([rest, block])
        if len(rest) <= 4 * limit:
            continue
        spans = _spans(rest, rate, limit, loudest)
        if spans and len(rest) - spans[-1][1] < PAUSE * rate:  # the last one may go on
            keep = spans.pop()[0]
        else:
            keep = len(rest) - round(MARGIN * rate)
        yield from pieces(spans)
        rest, begin = rest[keep:], begin + keep
    if len(rest) > limit or begin:
        spans = _spans(rest, rate, limit, loudest)
    else:
        spans = _apart(rest, rate, limit, loudest) or [heard(rest, rate)]
    yield from pieces(spans, last=True)


def segment(model: SequenceModel, labels: Labels, piece: Piece) -> Segment | None:
    """Decoded labels -> a segment in the recording's time; None when nothing was said."""
    step = model.front_end.frame_seconds
    said = words_of(labels, model.alphabet)
    # A frame stands for the half step before and after it.
    edges = [(symbol.start - 0.5, symbol.end - 0.5) for symbols in said for symbol in symbols]
    times = piece.offset + np.array(edges).reshape(-1, 2) * step
    times = iter(within(times, *piece.span(model.front_end.sample_rate), piece.lead > 0, piece.trail > 0))

    def character(symbol: Symbol) -> Character:
        return Character(symbol.text, *next(times).tolist(), symbol.confidence)

    words = [word([character(symbol) for symbol in symbols]) for symbols in said]
    if not words:
        return None
    confidence = sum(w.confidence for w in words) / len(words)
    text = " ".join(w.text for w in words)
    alternatives = readings_of(labels, model)
    return Segment(text, words[0].start, words[-1].end, confidence, tuple(words), alternatives=alternatives)


def within(times: np.ndarray, start: float, end: float, lead: bool, trail: bool) -> np.ndarray:
    """Times in seconds, of any shape, none outside `start` to `end`.

    Where silence was added (`lead`, `trail`), what a model writes there, a frame or two off, shares the
    nearest `EDGE` seconds with what is in them, so that it keeps order and length; else it is clipped.
    """
    if not times.size:
        return times
    first = min(start, times.min()) if lead else start
    last = max(end, times.max()) if trail else end
    room = min(EDGE, (end - start) / 2)
    return np.interp(times, [first, start + room, end - room, last], [start, start + room, end - room, end])


def sureness(words: Sequence[Sequence[float]]) -> tuple[float, float]:
    """How surely words are read, by the confidences of the characters of each: the mean of the words, and the
    share of characters that are read clearly. Of noise, few are, even where many that are read by half have
    the same mean. Nothing read is (0, 0).
    """
    if not words:
        return 0.0, 0.0
    return fmean(map(fmean, words)), fmean(each >= CLEAR for word in words for each in word)


def word(characters: list[Character]) -> Word:
    """The word that characters make up."""
    confidence = sum(c.confidence for c in characters) / len(characters)
    text = "".join(c.text for c in characters)
    return Word(text, characters[0].start, characters[-1].end, confidence, tuple(characters))


def read_recordings(
    sources: Iterable[Source], model: SequenceModel, options: SpeechOptions, sample_rate: int | None = None
) -> Iterator[Transcript | TriscribeError]:
    """A Transcript or what is wrong with it for each recording, in order; pieces of several share batches."""
    readings = (_Recording(source, sample_rate, model, options) for source in sources)
    return read(readings, model, options, _decode(model, options))


def _decode(model: SequenceModel, options: SpeechOptions) -> Decode:
    """What decodes pieces: labels, and those by which it is judged whether somebody speaks.

    The latter are read without a language model, by which no noise becomes speech, nor a word that the
    network doubts noise; but the user's own limit is for the confidences that are shown.
    """
    decoder = for_inference(model, device_for(options.device)).decoder
    search = Search(options.width, options.alternatives, fusion(model, options))
    alone = Search(options.width)
    apart = search.fusion and options.min_confidence is None and (model.min_confidence or model.min_clear)

    def decode(states: Tensor, lengths: Tensor) -> list[tuple[Labels, Labels]]:
        found = decoder.read(states, lengths, search)
        heard = decoder.read(states, lengths, alone) if apart else found
        return list(zip(found, heard, strict=True))

    return decode


class _Recording(Reading):
    """A recording whose pieces are being decoded."""

    def __init__(self, source: Source, sample_rate: int | None, model: SequenceModel, options: SpeechOptions):
        self.source, self.sample_rate, self.model, self.options = source, sample_rate, model, options
        self.segments: list[Segment] = []

    def pieces(self) -> Iterator[Piece]:
        audio = open_audio(self.source, self.sample_rate, self.options.track)
        yield from cut(audio, self.options.longest, self.model.front_end.sample_rate, self.options.strict)
        self.name, self.duration = audio.name, audio.duration
        self.notes = (*([audio.damage] if audio.damage else []), *audio.notes)

    def add(self, piece: Piece, found: tuple[Labels, Labels]) -> None:
        labels, heard = found
        said = segment(self.model, labels, piece) if self._speaks(heard) else None
        if said:
            self.segments.append(said)
        self.position = piece.span(self.model.front_end.sample_rate)[1]

    def _speaks(self, heard: Labels) -> bool:
        given, model = self.options.min_confidence, self.model
        least, clearly = (model.min_confidence, model.min_clear) if given is None else (given, 0.0)
        words = [[symbol.confidence for symbol in word] for word in words_of(heard, model.alphabet)]
        confidence, clear = sureness(words)
        return confidence >= least and clear >= clearly

    def result(self) -> Transcript:
        source = None if self.name.startswith("<") else self.name
        return Transcript(tuple(self.segments), self.duration, self.model.name, source, notes=self.notes)


def _loudness(samples: np.ndarray) -> float:
    """The largest short-time amplitude (RMS over 2048 samples)."""
    return float(rms(samples).max()) if len(samples) else 0.0


def _spans(samples: np.ndarray, rate: int, limit: int, loudest: float) -> list[tuple[int, int]]:
    """Stretches of sound, apart by pauses, none longer than `limit` samples."""
    stretches = sounding(samples, rate, loudest)
    joined: list[list[int]] = []
    for start, end in stretches.tolist():
        if joined and start - joined[-1][1] < PAUSE * rate and end - joined[-1][0] <= limit:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    least = loudest * 10 ** (-FAINT / 20)
    joined = [
        (start, end)
        for start, end in joined
        if end - start >= SHORTEST_FAINT * rate or _loudness(samples[start:end]) >= least
    ]
    margin = round(MARGIN * rate)
    spans: list[tuple[int, int]] = []
    for start, end in joined:
        start = max(start - margin, spans[-1][1] if spans else 0)
        end = min(end + margin, len(samples))
        while end - start > limit:
            quietest = _quietest(samples, start + limit // 2, start + limit)
            spans.append((start, quietest))
            start = quietest
        spans.append((start, end))
    return spans


def _apart(samples: np.ndarray, rate: int, limit: int, loudest: float) -> list[tuple[int, int]]:
    """A short recording cut where stretches apart by pauses are louder or quieter by `UNEVEN`, as models hear
    little of the quiet ones beside the others; none if it can stay whole."""
    groups: list[tuple[int, int, float]] = []
    for start, end in _spans(samples, rate, limit, loudest):
        level = float(decibels(np.array([_loudness(samples[start:end])]))[0])
        if groups and abs(level - groups[-1][2]) < UNEVEN:
            start, level = groups[-1][0], max(level, groups.pop()[2])
        groups.append((start, end, level))
    return [(start, end) for start, end, _ in groups] if len(groups) > 1 else []


def _quietest(samples: np.ndarray, start: int, end: int) -> int:
    """The middle of the quietest short stretch between two positions."""
    return start + min(int(rms(samples[start:end]).argmin()) * HOP, end - start - 1)
