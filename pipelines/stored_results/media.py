"""Transcripts, pages, actions and captions, from their JSON."""

from __future__ import annotations

from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    CaptionWord,
    Character,
    Glyph,
    Page,
    Segment,
    Sentence,
    StrokeSpan,
    TextLine,
    TextRegion,
    Transcript,
    Word,
    WrittenWord,
)
from pipelines.stored_results.entry import Entry, about


def transcript(entry: Entry) -> Transcript:
    return Transcript(entry.each("segments", _segment), entry.number("duration"), **about(entry))


def _segment(entry: Entry) -> Segment:
    words, found = entry.each("words", _word), entry.flag("found", True)
    return Segment(*_span(entry), words, found, entry.each("alternatives", _reading), entry.check())


def _word(entry: Entry) -> Word:
    return Word(*_span(entry), entry.each("characters", lambda each: Character(*_span(each))))


def _span(entry: Entry) -> tuple[str, float, float, float]:
    return entry.text("text"), entry.number("start"), entry.number("end"), entry.number("confidence")


def _reading(entry: Entry) -> tuple[str, float]:
    return entry.text("text"), entry.number("probability")


def page(entry: Entry) -> Page:
    regions, size = entry.each("regions", _region), (entry.whole("width"), entry.whole("height"))
    return Page(regions, *size, **about(entry), number=entry.whole_or_none("number"))


def _region(entry: Entry) -> TextRegion:
    kind, name = entry.text("kind"), entry.text("id", "")
    return TextRegion(entry.each("lines", _line), entry.rows("polygon", 2), kind, name)


def _line(entry: Entry) -> TextLine:
    return TextLine(
        *_said(entry),
        entry.rows("baseline", 2),
        entry.each("words", lambda each: WrittenWord(*_said(each), each.each("glyphs", _glyph))),
        entry.text("id", ""),
        entry.each("alternatives", _reading),
        entry.check(),
    )


def _glyph(entry: Entry) -> Glyph:
    return Glyph(*_said(entry), entry.each("strokes", _strokes))


def _strokes(entry: Entry) -> StrokeSpan:
    return StrokeSpan(entry.whole("stroke"), entry.whole("first"), entry.whole("last"))


def _said(entry: Entry) -> tuple[str, float, tuple]:
    return entry.text("text"), entry.number("confidence"), entry.rows("polygon", 2)


def actions(entry: Entry) -> Actions:
    top = entry.some("top", lambda each: (each.text("label"), each.number("score")), "class")
    return Actions(
        top,
        entry.each("segments", _action),
        entry.number("duration"),
        **about(entry),
        attention=entry.rows("attention", 2),
        damaged=entry.whole("damaged", 0),
        checked=entry.check(),
    )


def _action(entry: Entry) -> ActionSegment:
    times = entry.number("start"), entry.number("end")
    return ActionSegment(entry.text("label"), *times, entry.number("score"))


def caption(entry: Entry) -> Caption:
    return Caption(entry.each("sentences", _sentence), entry.number("duration"), **about(entry))


def _sentence(entry: Entry) -> Sentence:
    return Sentence(
        entry.text("text"),
        entry.number("confidence"),
        entry.each("words", _caption_word),
        entry.each("alternatives", lambda each: (each.text("text"), each.number("confidence"))),
        entry.number("start"),
        entry.number("end"),
        entry.check(),
    )


def _caption_word(entry: Entry) -> CaptionWord:
    return CaptionWord(entry.text("text"), entry.number("confidence"), entry.rows("attention"))
