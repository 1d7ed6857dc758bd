"""Results as the plain values that the page of results is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.confidence import LOW, UNSURE, mean_confidence
from pipelines.results import (
    Actions,
    Caption,
    Classified,
    Page,
    Point,
    Result,
    Segment,
    Sentence,
    TextLine,
    Transcript,
    WrittenWord,
)
from pipelines.writers.lines import printable
from pipelines.writers.timing import timed_words

TASKS = {Transcript: "speech", Page: "handwriting", Actions: "action", Caption: "captioning"}


@dataclass(frozen=True)
class Entry:
    """One file of a run, or a part of it.

    Attributes:
        source: the recording, image, PDF, ink or video.
        result: None if there is none.
        error: why there is none, or what else is wrong, one line.
        outputs: the files written for it.
        part: number of the page or of the piece of ink, from 1; None for the whole source.
        task: that it was done by; "" is what the type of the result says.
        state: "done", "failed", "passed over" or "edited"; "" is what the result says.
    """

    source: Path
    result: Result | None
    error: str | None
    outputs: tuple[Path, ...] = ()
    part: int | None = None
    task: str = ""
    state: str = ""


def item_of(entry: Entry) -> dict:
    """What the page says of an entry, without what is linked to.

    Lines hold a confidence `c`; a text `t` if it is not that of their words; what they have of times `s` to
    `e` in seconds, outline `p` and baseline `b` as `x,y x,y ...`, number of the region `r`, other readings
    `a`, and by whom and when they were checked `k`; and words `w`, each a list of text, confidence, and
    place: start and end, or the outline, and for ink the texts of its characters.
    """
    result = entry.result
    item = {
        "task": entry.task or TASKS.get(type(result), ""),
        "state": entry.state or ("done" if result else "failed"),
        "part": entry.part,
    }
    if entry.error:
        item["error"] = printable(entry.error)
    if result is None:
        return item
    lines = [_without_double(line) for line in _LINES.get(type(result), _of_other)(result)]
    item |= {"model": result.model, "lines": lines}
    if type(result) not in TASKS:
        item["fixed"] = True  # there is nothing to correct it with
    if result.notes:
        item["notes"] = list(map(printable, result.notes))
    if isinstance(result, Page):
        item["extent"] = _counted(len(lines), "line")
    elif getattr(result, "duration", 0):
        item["seconds"] = round(float(result.duration), 3)
    if isinstance(result, Actions):
        item["top"] = [[label, _share(score)] for label, score in result.top]
    confidence = mean_confidence(result)
    item["confidence"] = None if confidence is None else _share(confidence)
    if confidence is not None and confidence < LOW:
        item["doubt"] = UNSURE
    checks = [line.get("k") for line in lines]
    item["checked"] = sum(check is not None for check in checks)
    if checks and all(checks):
        item["state"] = "checked"
    elif item["checked"]:
        item["state"] = "edited"
    return item


def _without_double(line: dict) -> dict:
    """A line without its text where its words say the same."""
    is_double = line["t"] == " ".join(word[0] for word in line["w"])
    return {key: value for key, value in line.items() if key != "t"} if is_double else line


def _of_transcript(result: Transcript) -> list[dict]:
    return [
        _said(segment, [[word.text, _share(word.confidence), *_times(word)] for word in _spoken(segment)])
        | ({} if segment.found else {"missing": True})
        for segment in result.segments
    ]


def _spoken(segment: Segment) -> tuple:
    """The words with their times; none for a line of a known text that is not in the audio."""
    return timed_words(segment) if segment.found else ()


def _of_page(result: Page) -> list[dict]:
    return [
        {"t": line.text, "c": _share(line.confidence), "r": number, "w": _written(line)}
        | {key: value for key, value in (("p", _path(line.polygon)), ("b", _path(line.baseline))) if value}
        | _about(line, [[text, _share(share)] for text, share in line.alternatives])
        for number, region in enumerate(result.regions)
        for line in region.lines
    ]


def _written(line: TextLine) -> list[list]:
    """The line's words; a line without words is taken as one."""
    words = line.words or (WrittenWord(line.text, line.confidence, line.polygon),)
    return [
        [word.text, _share(word.confidence), _path(_outline(word)), *_inked(word)]
        for word in words
        if word.text
    ]


def _inked(word: WrittenWord) -> list[list[str]]:
    """Of ink the texts of the characters, which are drawn in different colours."""
    return [[glyph.text for glyph in word.glyphs]] if word.strokes else []


def _outline(word: WrittenWord) -> tuple[Point, ...]:
    points = word.polygon or [point for glyph in word.glyphs for point in glyph.polygon]
    if word.polygon or not points:
        return word.polygon
    across, down = zip(*points, strict=True)
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _of_actions(result: Actions) -> list[dict]:
    check = _check(result)
    return [
        {"t": segment.label, "c": _share(segment.score), "w": [[segment.label, _share(segment.score)]]}
        | dict(zip("se", _times(segment), strict=True))
        | check
        for segment in result.segments
    ]


def _of_caption(result: Caption) -> list[dict]:
    return [
        {"t": sentence.text, "c": _share(sentence.confidence), "w": _worded(sentence)}
        | (dict(zip("se", _times(sentence), strict=True)) if result.duration else {})
        | _about(sentence, [[text, _share(share)] for text, share in sentence.alternatives])
        for sentence in result.sentences
    ]


def _of_classified(result: Classified) -> list[dict]:
    return [
        {
            "t": f"{label} {each.text}",
            "c": _share(each.score),
            "w": [[label, _share(each.score)], [each.text]],
        }
        for each in result.texts
        for label in [each.label or "?"]
    ]


def _of_other(result: Result) -> list[dict]:
    text = str(getattr(result, "text", ""))
    return [{"t": text, "w": [[text]]}] if text else []


def _worded(sentence: Sentence) -> list[list]:
    words = [[word.text, _share(word.confidence)] for word in sentence.words]
    whole = " ".join(word[0] for word in words) == sentence.text
    return words if whole else [[sentence.text, _share(sentence.confidence)]]


def _said(segment: Segment, words: list[list]) -> dict:
    start, end = _times(segment)
    about = _about(segment, [[text, _share(share)] for text, share in segment.alternatives])
    return {"t": segment.text, "c": _share(segment.confidence), "s": start, "e": end, "w": words} | about


def _about(line: object, others: list[list]) -> dict:
    return ({"a": others} if others else {}) | _check(line)


def _check(line: object) -> dict:
    check = getattr(line, "checked", None)
    return {"k": [check.by, check.when]} if check else {}


def _times(unit: object) -> tuple[float, float]:
    return round(float(unit.start), 2), round(float(unit.end), 2)


def _share(share: float) -> float:
    return round(float(share), 3)


def _path(points: Sequence[Point]) -> str:
    """Points as `x,y x,y ...`, to a tenth of a pixel."""
    return " ".join(f"{round(float(x), 1):g},{round(float(y), 1):g}" for x, y in points)


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


_LINES = {
    Transcript: _of_transcript,
    Page: _of_page,
    Actions: _of_actions,
    Caption: _of_caption,
    Classified: _of_classified,
}
