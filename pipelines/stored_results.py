"""Reads results back from their JSON format."""

from __future__ import annotations

import json
import math
import os
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pipelines.errors import DataError
from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    CaptionWord,
    Character,
    Check,
    Classified,
    ClassifiedText,
    Glyph,
    Likelihood,
    Page,
    Result,
    ScoredText,
    Segment,
    Sentence,
    StrokeSpan,
    Tagged,
    TaggedText,
    TaggedToken,
    TextLine,
    TextRegion,
    Transcript,
    Translated,
    TranslatedSentence,
    TranslatedToken,
    Word,
    WrittenWord,
)

T = TypeVar("T")


def read_result(source: str | os.PathLike | Mapping) -> Result:
    """Read a result from its JSON, which is complete: only roundings are lost.

    Args:
        source: a file that the format `json` made of a result of any type, or the object that it holds.
            What options leave out (characters, glyphs, attention) is empty.

    Raises:
        DataError: the file cannot be read, or it holds no result; the message names the field at fault.
    """
    name = "the result" if isinstance(source, Mapping) else os.fspath(source)
    content = source if isinstance(source, Mapping) else _opened(Path(source))
    entry = _Entry(content, name)
    for field, read in _READERS.items():
        if field in content:
            return read(entry)
    raise entry.fault("holds no result: no segments, regions, sentences, classes, texts or translations")


def _opened(path: Path) -> Mapping:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", "check its name") from error
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is not JSON ({error})", "write it again with --overwrite") from error
    if not isinstance(content, dict):
        raise DataError(path, "holds no result", "give a file that the format json made of one")
    return content


class _Entry:
    """An object of the file, whose fields are checked as they are read.

    Args:
        content: the object.
        name: of the file.
        place: of the object in the file, such as "segments[3]".
    """

    def __init__(self, content: Mapping, name: str, place: str = ""):
        self.content, self.name, self.place = content, name, place

    def fault(self, cause: str) -> DataError:
        return DataError(self.name, cause, "mend it, or write it again with --overwrite")

    def text(self, field: str, default: str | None = None) -> str:
        value = self._value(field, default)
        return value if isinstance(value, str) else self._refuse(field, value, "a text")

    def name_or_none(self, field: str) -> str | None:
        return None if self.content.get(field) is None else self.text(field)

    def number(self, field: str) -> float:
        return self._as_number(field, self._value(field))

    def whole(self, field: str, default: int | None = None) -> int:
        value = self._value(field, default)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole else self._refuse(field, value, "a whole number")

    def whole_or_none(self, field: str) -> int | None:
        return None if self.content.get(field) is None else self.whole(field)

    def flag(self, field: str, default: bool) -> bool:
        value = self._value(field, default)
        return value if isinstance(value, bool) else self._refuse(field, value, "true or false")

    def texts(self, field: str) -> tuple[str, ...]:
        values = self._list(field, self.content.get(field, []))
        return tuple(
            value if isinstance(value, str) else self._refuse(f"{field}[{place}]", value, "a text")
            for place, value in enumerate(values)
        )

    def each(self, field: str, read: Callable[[_Entry], T]) -> tuple[T, ...]:
        """What `read` makes of each object of a list; none where the list is left out."""
        values = self._list(field, self.content.get(field, []))
        return tuple(read(self._inner(f"{field}[{place}]", value)) for place, value in enumerate(values))

    def rows(self, field: str, length: int | None = None) -> tuple[tuple[float, ...], ...]:
        """A list of lists of numbers, each of a given length; none where it is left out."""
        values = self._list(field, self.content.get(field, []))
        rows = [self._list(f"{field}[{place}]", value) for place, value in enumerate(values)]
        for place, row in enumerate(rows):
            if length is not None and len(row) != length:
                self._refuse(f"{field}[{place}]", row, f"{length} numbers")
        return tuple(
            tuple(self._as_number(f"{field}[{place}]", value) for value in row)
            for place, row in enumerate(rows)
        )

    def row(self, field: str) -> tuple[float, ...]:
        """A list of numbers; empty where it is left out."""
        values = self._list(field, self.content.get(field, []))
        return tuple(self._as_number(f"{field}[{place}]", value) for place, value in enumerate(values))

    def check(self) -> Check | None:
        value = self.content.get("checked")
        if value is None:
            return None
        entry = self._inner("checked", value)
        try:
            return Check(entry.text("by"), entry.text("when"))
        except ValueError as error:
            raise self.fault(f"{self._at('checked')}: {error}") from error

    def _inner(self, field: str, value: object) -> _Entry:
        if not isinstance(value, Mapping):
            self._refuse(field, value, "an object")
        return _Entry(value, self.name, self._at(field))

    def _value(self, field: str, default: object = None) -> object:
        value = self.content.get(field, default)
        if value is None:
            raise self.fault(f"{self._at(field)} is missing")
        return value

    def _list(self, field: str, value: object) -> list:
        return value if isinstance(value, list) else self._refuse(field, value, "a list")

    def _as_number(self, field: str, value: object) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            self._refuse(field, value, "a number")
        return value

    def _refuse(self, field: str, value: object, wanted: str):
        raise self.fault(f"{self._at(field)} is {str(value)[:40]!r}, not {wanted}")

    def _at(self, field: str) -> str:
        return f"{self.place}.{field}" if self.place else field


def _about(entry: _Entry) -> dict:
    """Fields of all types of results."""
    return {
        "model": entry.text("model"),
        "source": entry.name_or_none("source"),
        "notes": entry.texts("notes"),
    }


def _transcript(entry: _Entry) -> Transcript:
    return Transcript(entry.each("segments", _segment), entry.number("duration"), **_about(entry))


def _segment(entry: _Entry) -> Segment:
    words, found = entry.each("words", _word), entry.flag("found", True)
    return Segment(*_span(entry), words, found, entry.each("alternatives", _reading), entry.check())


def _word(entry: _Entry) -> Word:
    return Word(*_span(entry), entry.each("characters", lambda each: Character(*_span(each))))


def _span(entry: _Entry) -> tuple[str, float, float, float]:
    return entry.text("text"), entry.number("start"), entry.number("end"), entry.number("confidence")


def _reading(entry: _Entry) -> tuple[str, float]:
    return entry.text("text"), entry.number("probability")


def _page(entry: _Entry) -> Page:
    regions, size = entry.each("regions", _region), (entry.whole("width"), entry.whole("height"))
    return Page(regions, *size, **_about(entry), number=entry.whole_or_none("number"))


def _region(entry: _Entry) -> TextRegion:
    kind, name = entry.text("kind"), entry.text("id", "")
    return TextRegion(entry.each("lines", _line), entry.rows("polygon", 2), kind, name)


def _line(entry: _Entry) -> TextLine:
    return TextLine(
        *_said(entry),
        entry.rows("baseline", 2),
        entry.each("words", lambda each: WrittenWord(*_said(each), each.each("glyphs", _glyph))),
        entry.text("id", ""),
        entry.each("alternatives", _reading),
        entry.check(),
    )


def _glyph(entry: _Entry) -> Glyph:
    return Glyph(*_said(entry), entry.each("strokes", _strokes))


def _strokes(entry: _Entry) -> StrokeSpan:
    return StrokeSpan(entry.whole("stroke"), entry.whole("first"), entry.whole("last"))


def _said(entry: _Entry) -> tuple[str, float, tuple]:
    return entry.text("text"), entry.number("confidence"), entry.rows("polygon", 2)


def _actions(entry: _Entry) -> Actions:
    top = entry.each("top", lambda each: (each.text("label"), each.number("score")))
    if not top:
        raise entry.fault("top names no class")
    return Actions(
        top,
        entry.each("segments", _action),
        entry.number("duration"),
        **_about(entry),
        attention=entry.rows("attention", 2),
        damaged=entry.whole("damaged", 0),
        checked=entry.check(),
    )


def _action(entry: _Entry) -> ActionSegment:
    times = entry.number("start"), entry.number("end")
    return ActionSegment(entry.text("label"), *times, entry.number("score"))


def _caption(entry: _Entry) -> Caption:
    return Caption(entry.each("sentences", _sentence), entry.number("duration"), **_about(entry))


def _sentence(entry: _Entry) -> Sentence:
    return Sentence(
        entry.text("text"),
        entry.number("confidence"),
        entry.each("words", _caption_word),
        entry.each("alternatives", lambda each: (each.text("text"), each.number("confidence"))),
        entry.number("start"),
        entry.number("end"),
        entry.check(),
    )


def _caption_word(entry: _Entry) -> CaptionWord:
    return CaptionWord(entry.text("text"), entry.number("confidence"), entry.rows("attention"))


def _texts(entry: _Entry) -> Classified | Tagged:
    tagged = any("tokens" in each for each in entry.content["texts"] or () if isinstance(each, Mapping))
    found = entry.each("texts", _tagged if tagged else _classified)
    if not found:
        raise entry.fault("texts names no text")
    return (Tagged if tagged else Classified)(found, **_about(entry))


def _classified(entry: _Entry) -> ClassifiedText:
    top = entry.each("top", lambda each: (each.text("label"), each.number("score")))
    if not top:
        raise entry.fault(f"{entry.place}.top names no class")
    shares = entry.each("attention", lambda each: (each.text("token"), each.number("share")))
    accepted, labels = entry.flag("accepted", True), entry.texts("labels")
    several = labels if accepted and labels != (top[0][0],) else ()
    return ClassifiedText(entry.text("text"), top, accepted, shares, several)


def _tagged(entry: _Entry) -> TaggedText:
    return TaggedText(entry.text("text"), entry.each("tokens", _token))


def _token(entry: _Entry) -> TaggedToken:
    said = entry.text("text"), entry.text("label"), entry.number("confidence")
    return TaggedToken(*said, entry.whole("start"), entry.whole("end"))


def _translated(entry: _Entry) -> Translated:
    return Translated(entry.each("translations", _translation), entry.whole("lines"), **_about(entry))


def _translation(entry: _Entry) -> TranslatedSentence:
    return TranslatedSentence(
        entry.text("source"),
        entry.text("text"),
        entry.number("confidence"),
        entry.whole("line"),
        entry.texts("source_tokens"),
        entry.each("tokens", _translated_token),
        entry.each("alternatives", lambda each: (each.text("text"), each.number("confidence"))),
    )


def _translated_token(entry: _Entry) -> TranslatedToken:
    return TranslatedToken(entry.text("text"), entry.number("confidence"), entry.row("attention"))


def _likelihood(entry: _Entry) -> Likelihood:
    return Likelihood(entry.each("scored", _scored), **_about(entry))


def _scored(entry: _Entry) -> ScoredText:
    places = {
        name: entry._list(name, entry.content.get(name, [])) for name in ("starts", "surprisals", "unknown")
    }
    for name in ("starts", "unknown"):
        for place, value in enumerate(places[name]):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                entry._refuse(f"{name}[{place}]", value, "a whole number of 0 or more")
    nats = [entry._as_number(f"surprisals[{place}]", each) for place, each in enumerate(places["surprisals"])]
    if len(nats) != len(places["starts"]):
        raise entry.fault(f"{entry.place}.surprisals are not as many as starts")
    starts, unknown = array("I", places["starts"]), tuple(places["unknown"])
    return ScoredText(entry.text("text"), starts, array("f", nats), unknown, entry.text("unit"))


_READERS: dict[str, Callable[[_Entry], Result]] = {
    "regions": _page,
    "sentences": _caption,
    "top": _actions,  # which has segments too
    "segments": _transcript,
    "texts": _texts,
    "translations": _translated,
    "scored": _likelihood,
}
"""The reader of a type of results, by a field that it alone of those that follow has."""
