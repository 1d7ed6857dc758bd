"""What a person's correction makes of a result: a new result, in which everything else is as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from unicodedata import category

from pipelines.correcting.words import Placed, place_words
from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    CaptionWord,
    Character,
    Check,
    Glyph,
    Page,
    Point,
    Segment,
    Sentence,
    TextLine,
    Transcript,
    Word,
    WrittenWord,
    box,
)
from pipelines.writers.outlines import is_right_to_left

NO_TEXT = ("Cc", "Cs")  # control characters, and halves of characters, which no file can hold
Correctable = Transcript | Page | Actions | Caption


def corrected(result: Correctable, place: int, text: str, check: Check | None) -> Correctable:
    """The result with the text of a line, segment or sentence, or the label of an action, corrected.

    Words that stay keep their places, others take theirs from what they replace. What a person has checked
    has a confidence of 1, and no other readings.

    Args:
        result: as it was.
        place: number of the line of a page over all regions, of the segment or of the sentence, from 0.
        text: what is right.
        check: by whom and when it was checked; None if it is not checked yet.

    Raises:
        ValueError: there is no such line, an action is to have no label, or the result is of another type.
    """
    if not isinstance(result, Correctable):
        raise ValueError(f"a result of the type {type(result).__name__} cannot be corrected here")
    text = " ".join("".join(each for each in text if each.isspace() or category(each) not in NO_TEXT).split())
    if isinstance(result, Page):
        return _page(result, place, text, check)
    if isinstance(result, Actions):
        return _actions(result, place, text, check)
    name, edit = ("segments", _segment) if isinstance(result, Transcript) else ("sentences", _sentence)
    parts = list(getattr(result, name))
    _check_place(place, parts)
    parts[place] = edit(parts[place], text, check)
    return replace(result, **{name: tuple(parts)})


def text_at(result: Correctable, place: int) -> str:
    """The text of a line, segment or sentence, or the label of an action.

    Raises:
        ValueError: there is no such line.
    """
    if isinstance(result, Page):
        parts = result.lines
    else:
        parts = result.sentences if isinstance(result, Caption) else result.segments
    if isinstance(result, Actions):
        if not parts:
            return result.label
        _check_place(place, parts)
        return parts[place].label
    _check_place(place, parts)
    return parts[place].text


def _page(page: Page, place: int, text: str, check: Check | None) -> Page:
    _check_place(place, page.lines)
    regions, before = [], 0
    for region in page.regions:
        lines = list(region.lines)
        if 0 <= place - before < len(lines):
            lines[place - before] = _line(lines[place - before], text, check)
            region = replace(region, lines=tuple(lines))
        regions.append(region)
        before += len(lines)
    return replace(page, regions=tuple(regions))


def _check_place(place: int, parts: Sequence) -> None:
    if not 0 <= place < len(parts):
        raise ValueError(f"there is no line {place}, only {len(parts)}")


def _segment(segment: Segment, text: str, check: Check | None) -> Segment:
    old = segment.words
    spans = [(word.start, word.end) for word in old]
    words = tuple(_spoken(each, old, check) for each in place_words([word.text for word in old], spans, text))
    about = {"text": text, "words": words, "alternatives": (), "checked": check}
    return replace(segment, confidence=_confidence(words, check), **about)


def _spoken(placed: Placed, old: Sequence[Word], check: Check | None) -> Word:
    if placed.kept is not None:
        word = old[placed.kept]
        signs = tuple(replace(each, confidence=1.0) for each in word.characters)
        return replace(word, confidence=1.0, characters=signs) if check else word
    edges = placed.edges
    has_signs = any(word.characters for word in old)
    signs = tuple(
        Character(sign, edges[place], edges[place + 1], 1.0) for place, sign in enumerate(placed.text)
    )
    return Word(placed.text, edges[0], edges[-1], 1.0, signs if has_signs else ())


def _line(line: TextLine, text: str, check: Check | None) -> TextLine:
    old = line.words
    axis = _Axis(line, text)
    placed = place_words([word.text for word in old], [axis.span(word) for word in old], text)
    words = tuple(_written(each, old, axis, check) for each in placed)
    about = {"text": text, "words": words, "alternatives": (), "checked": check}
    return replace(line, confidence=_confidence(words, check), **about)


class _Axis:
    """The direction in which a line is written, and places along it.

    Places are known if every word of the line has an outline.
    """

    def __init__(self, line: TextLine, text: str):
        self.known = all(word.polygon for word in line.words)
        first, last = (line.baseline[0], line.baseline[-1]) if line.baseline else ((0, 0), (1, 0))
        self.down = abs(last[1] - first[1]) > abs(last[0] - first[0])
        backwards = last[1] < first[1] if self.down else last[0] < first[0]
        self.backwards = backwards or (not self.down and is_right_to_left(line.text or text))

    def span(self, word: WrittenWord) -> tuple[float, float]:
        """Where a word begins and ends."""
        if not self.known:
            return 0.0, 1.0
        left, top, right, bottom = word.box
        low, high = (top, bottom) if self.down else (left, right)
        return (high, low) if self.backwards else (low, high)

    def outline(self, start: float, end: float, words: Sequence[WrittenWord]) -> tuple[Point, ...]:
        """The rectangle of a stretch, as high as the words that it is next to."""
        if not self.known:
            return ()
        left, top, right, bottom = box(tuple(point for word in words for point in word.polygon))
        low, high = min(start, end), max(start, end)
        if self.down:
            return (left, low), (right, low), (right, high), (left, high)
        return (low, top), (high, top), (high, bottom), (low, bottom)


def _written(placed: Placed, old: Sequence[WrittenWord], axis: _Axis, check: Check | None) -> WrittenWord:
    if placed.kept is not None:
        word = old[placed.kept]
        signs = tuple(replace(each, confidence=1.0) for each in word.glyphs)
        return replace(word, confidence=1.0, glyphs=signs) if check else word
    near = old[placed.near[0] : placed.near[1] + 1]
    glyphs = []
    for place, (sign, like) in enumerate(zip(placed.text, placed.likes, strict=True)):
        outline = axis.outline(placed.edges[place], placed.edges[place + 1], near)
        glyphs.append(Glyph(sign, 1.0, outline, _strokes(old, like)))
    outline = axis.outline(placed.edges[0], placed.edges[-1], near)
    has_glyphs = any(word.glyphs for word in old)
    return WrittenWord(placed.text, 1.0, outline, tuple(glyphs) if has_glyphs else ())


def _strokes(old: Sequence[WrittenWord], like: tuple[int, int] | None) -> tuple:
    """In ink, the points of the character in whose place one is."""
    if like is None:
        return ()
    word = old[like[0]]
    signs = [glyph for glyph in word.glyphs for _ in glyph.text]
    is_whole = "".join(glyph.text for glyph in word.glyphs) == word.text
    return signs[like[1]].strokes if is_whole and like[1] < len(signs) else ()


def _sentence(sentence: Sentence, text: str, check: Check | None) -> Sentence:
    old = sentence.words
    texts = [word.text for word in old]
    words = []
    for placed in place_words(texts, [(index, index + 1.0) for index in range(len(old))], text):
        before = old[placed.near[0]]
        kept = placed.kept is not None and not check
        words.append(CaptionWord(placed.text, before.confidence if kept else 1.0, before.attention))
    about = {"text": text, "words": tuple(words), "alternatives": (), "checked": check}
    return replace(sentence, confidence=_confidence(words, check), **about)


def _confidence(words: Sequence[Word | WrittenWord | CaptionWord], check: Check | None) -> float:
    return fmean(word.confidence for word in words) if words and not check else 1.0


def _actions(actions: Actions, place: int, label: str, check: Check | None) -> Actions:
    """A video has one check mark: with it all its segments are right."""
    if not label:
        raise ValueError("an action needs a label")
    segments = list(actions.segments)
    if segments:
        _check_place(place, segments)
        segments[place] = replace(segments[place], label=label, score=1.0)
    else:
        segments = [ActionSegment(label, 0.0, actions.duration, 1.0)]
    if check:
        segments = [replace(segment, score=1.0) for segment in segments]
    top = actions.top
    if len(segments) == 1:
        top = ((label, 1.0), *((other, 0.0) for other, _ in top if other != label))
    return replace(actions, top=top, segments=tuple(segments), checked=check)
