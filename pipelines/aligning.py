"""align(): a recording and what is said in it, in; where each line and word lies, out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from decoders.alignment import short as alignment
from decoders.alignment.long import align_long
from decoders.alignment.short import Placed
from decoders.alphabet import BLANK, Alphabet
from pipelines.errors import DataError
from pipelines.media.audio import Source, open_audio
from pipelines.media.cues import read_cues
from pipelines.media.recording import Audio
from pipelines.media.text import read_text
from pipelines.model import SequenceModel
from pipelines.reading.batches import buffered, log_probabilities
from pipelines.reading.settings import AlignmentOptions
from pipelines.reading.spelling import Spelling
from pipelines.results import Character, Segment, Transcript, Word
from pipelines.speech import cut, speech_model, within

UNHEARD = -20.0  # log-probability of a symbol in the pauses that the model does not read
LARGEST_TEXT = 20_000_000  # bytes: what is said in two weeks
ROUNDS = 3  # over the numbers of a line, whose readings depend on each other


def align(
    media: Source,
    text: str | Path | Sequence[str],
    model: SequenceModel | str | Path | None = None,
    sample_rate: int | None = None,
    **options,
) -> Transcript:
    """Find where each line and word of a known text lies in a recording.

    The recording may be hours long, may hold speech that is not in the text, and the text may
    hold lines that are not said; but what is said comes in the text's order.

    Args:
        media: a path to anything FFmpeg opens, a binary file object, or an array of samples.
        text: one segment a line; or a list of lines; or the path (a `Path`) of a UTF-8 text file. Of
            subtitles (SRT, WebVTT), one segment a cue; their times are not used.
        model: a loaded model, a file, or a bundled model's name; None is the bundled one.
        sample_rate: Hz of an array.
        options: see `AlignmentOptions`.

    Returns:
        A Transcript with one segment for each line that is not blank, in the text's order, its
        words as written; their characters are the model's symbols. A line of signs alone, which
        nobody says, lies between its neighbours. A line that is not in the
        audio has `found=False`, confidence 0, no words, and stands at the end of the line before it.
        A line's confidence is that of its worst `alignment.WINDOW` symbols: a mistake in the text shows.

    Raises:
        MediaError: the recording cannot be read.
        DataError: the text cannot be read, is empty, has nothing in the model's alphabet, or
            is longer than the recording can hold where no line may be left out (`min_confidence=0`).
        ModelError: the model cannot be used.
    """
    chosen = AlignmentOptions.of(options)
    model = speech_model(model)
    name, written = _written(text)
    spelling = Spelling(model.alphabet, model.normalisation, chosen.language)
    lines = [_Line(line, spelling) for line in written]
    spoken = [line for line in lines if any(line.readings)]
    if not spoken:
        raise DataError(name, f"has no line in {model.name}'s alphabet", "name a model of its language")
    audio = open_audio(media, sample_rate, chosen.track)
    recording = _Recording(audio, model, chosen)
    try:
        _place(recording, spoken, model.alphabet, chosen.min_confidence)
    except ValueError as error:
        cause = f"is too long for the {audio.duration:.1f} seconds of {audio.name} ({error})"
        raise DataError(name, cause, "check that text and recording belong together") from error
    segments: list[Segment] = []
    for line in lines:
        if line.placed:
            segments.append(line.segment(recording, model.alphabet))
        else:
            time = segments[-1].end if segments else 0.0
            silent = not any(map(str.isalnum, line.text))  # signs alone
            segments.append(Segment(line.text, time, time, float(silent), found=silent))
    source = None if audio.name.startswith("<") else audio.name
    notes = (*([audio.damage] if audio.damage else []), *audio.notes)
    return Transcript(tuple(segments), audio.duration, model.name, source, notes=notes)


class _Recording:
    """What the model hears in a whole recording.

    Attributes:
        log_probs: (frames, labels); of a pause that the model does not read, one frame.
        times: (frames,) seconds of each frame's middle.
        step: seconds that a frame stands for.
        duration: seconds.
        lead, trail: whether silence was added at the ends.
    """

    def __init__(self, audio: Audio, model: SequenceModel, options: AlignmentOptions):
        self.step = model.front_end.frame_seconds
        pause = torch.full((1, len(model.alphabet)), UNHEARD)
        pause[0, BLANK] = 0.0
        rows: list[Tensor] = []
        times: list[np.ndarray] = []
        self.lead = self.trail = False
        pieces = cut(audio, options.longest, model.front_end.sample_rate, options.strict)
        for some, _ in buffered(pieces, lambda piece: piece):
            heard = log_probabilities(model, [piece.inputs for piece in some], options)
            for piece, log_probs in zip(some, heard, strict=True):
                self.lead, self.trail = self.lead or piece.lead > 0, piece.trail > 0
                end = times[-1][-1] + self.step if times else 0.0
                if piece.offset > end:
                    rows.append(pause)
                    times.append(np.array([(end + piece.offset) / 2]))
                rows.append(log_probs)
                times.append(piece.offset + np.arange(len(log_probs)) * self.step)
        self.duration = audio.duration
        self.log_probs = torch.cat(rows) if rows else pause
        self.times = np.concatenate(times) if times else np.zeros(1)

    def spans(self, starts: Sequence[int], ends: Sequence[int]) -> list[tuple[float, float]]:
        """Frames from each start up to but not including its end -> starts and ends in seconds."""
        firsts = self.times[np.array(starts)] - self.step / 2
        lasts = self.times[np.array(ends) - 1] + self.step / 2
        times = np.stack([firsts, lasts], axis=1)
        return list(map(tuple, within(times, 0.0, self.duration, self.lead, self.trail).tolist()))


class _Line:
    """A line of the text on its way to its place.

    Attributes:
        text, words: as written.
        readings: of each word; none for one without a sound.
        choice: which reading of each word counts.
        placed: where its labels lie, if it is in the audio.
    """

    def __init__(self, text: str, spelling: Spelling):
        self.text = text
        self.words = text.split()
        self.readings = [spelling.readings(word) for word in self.words]
        self.choice = [0] * len(self.words)
        self.placed: Placed | None = None

    def choose(self, log_probs: Tensor, alphabet: Alphabet) -> None:
        """Take for each word the reading that these frames say, one after the other until all agree."""
        undecided = [index for index, readings in enumerate(self.readings) if len(readings) > 1]
        for _ in range(ROUNDS):
            before = self.choice
            for index in undecided:
                choices = [
                    [*self.choice[:index], which, *self.choice[index + 1 :]]
                    for which in range(len(self.readings[index]))
                ]
                best = alignment.best_reading(log_probs, [self.labels(alphabet, each) for each in choices])
                self.choice = choices[best]
            if self.choice == before:
                return

    def labels(self, alphabet: Alphabet, choice: list[int] | None = None) -> list[int]:
        """Label ids of the line as it is read, by another choice of readings if one is given."""
        chosen = zip(self.readings, choice or self.choice, strict=True)
        between = " " if " " in alphabet else ""
        return alphabet.encode(between.join(readings[which] for readings, which in chosen if readings))

    def segment(self, recording: _Recording, alphabet: Alphabet) -> Segment:
        """The line with its words in the recording's time."""
        placed = self.placed.labels
        spans = recording.spans(placed.starts, placed.ends)
        characters = [
            Character(alphabet.decode([label]), *span, min(confidence, 1.0))
            for label, span, confidence in zip(placed.ids, spans, placed.confidences, strict=True)
        ]
        begin, end = characters[0].start, characters[-1].end
        words: list[Word] = []
        first, now = 0, begin
        for text, readings, which in zip(self.words, self.readings, self.choice, strict=True):
            if not readings:
                words.append(Word(text, now, now, self.placed.confidence))
                continue
            behind = first + len(readings[which])
            sounds = tuple(each for each in characters[first:behind] if each.text != " ")
            confidence = sum(each.confidence for each in sounds) / len(sounds)
            words.append(Word(text, sounds[0].start, sounds[-1].end, confidence, sounds))
            now = sounds[-1].end
            first = behind + (" " in alphabet)
        return Segment(self.text, begin, end, self.placed.confidence, _bridged(words, end))


def _bridged(words: list[Word], end: float) -> tuple[Word, ...]:
    """Words without a sound get the time up to the next word."""
    bridged: list[Word] = []
    for word in reversed(words):
        if not word.characters:
            word = Word(word.text, word.start, end, word.confidence)
        bridged.append(word)
        end = word.start
    return tuple(reversed(bridged))


def _place(recording: _Recording, lines: list[_Line], alphabet: Alphabet, min_confidence: float) -> None:
    """Place the lines that are there, and settle how their numbers are read.

    Raises:
        ValueError: none may be left out, and there are more labels than frames.
    """
    for _ in range(2):
        labels = [line.labels(alphabet) for line in lines]
        places = align_long(recording.log_probs, labels, min_confidence, recording.step)
        for line, placed in zip(lines, places, strict=True):
            line.placed = placed
        if not _choose_readings(recording.log_probs, lines, alphabet):
            return


def _choose_readings(log_probs: Tensor, lines: list[_Line], alphabet: Alphabet) -> bool:
    """Let the recording decide how numbers are read; returns whether any choice changed."""
    before = [line.choice for line in lines]
    behind = len(log_probs)
    stretches = []
    for line in reversed(lines):
        stretches.append(behind)
        behind = line.placed.labels.starts[0] if line.placed else behind
    begin = 0
    for line, end in zip(lines, reversed(stretches), strict=True):
        line.choose(log_probs[begin:end], alphabet)
        begin = line.placed.labels.ends[-1] if line.placed else begin
    return [line.choice for line in lines] != before


def segments_of(text: str) -> list[str] | None:
    """The texts of the segments of a transcript in JSON or TSV, as Whisper and triscribe write them.

    None where the text is none of these.

    Raises:
        ValueError: it is JSON of something else.
    """
    if text.startswith("start\tend\ttext\n"):
        rows = (line.split("\t", 2) for line in text.split("\n")[1:])
        return [row[2] for row in rows if len(row) == 3]
    try:
        content = json.loads(text) if text.lstrip().startswith(("{", "[")) else None
    except (ValueError, RecursionError):
        return None  # a text that begins with a bracket
    if not isinstance(content, (dict, list)):
        return None
    whole = content.get("segments", [content]) if isinstance(content, dict) else content
    found = [each.get("text") for each in whole if isinstance(each, dict)] if isinstance(whole, list) else []
    if not found or not all(isinstance(each, str) for each in found):
        raise ValueError("is JSON without the texts of segments")
    return "\n".join(found).split("\n")


def _written(text: str | Path | Sequence[str]) -> tuple[str, list[str]]:
    """The text's name for errors, and its lines without blank ones."""
    name = str(text) if isinstance(text, Path) else "<text>"
    if isinstance(text, Path):
        text = read_text(text, LARGEST_TEXT)
    if isinstance(text, str):
        text = re.sub(r"\r\n?", "\n", text)
        try:
            text = segments_of(text) or [cue.text for cue in read_cues(text)] or text.split("\n")
        except ValueError as error:
            raise DataError(name, str(error), "give one line for each segment that is said") from error
    written = [" ".join(line.split()) for line in text if line.strip()]
    if not written:
        raise DataError(name, "holds no text", "give one line for each segment that is said")
    return name, written
