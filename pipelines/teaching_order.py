"""Which results in an output folder to correct first, because a model learns most from their correction."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import TriscribeError
from pipelines.output_folder import Stored, stored_in
from pipelines.results import Actions, Caption, Page, Transcript

_UNITS = {Transcript: "segment", Page: "line", Actions: "clip", Caption: "sentence"}
LEAST = 4  # letters: shorter texts are blots, page numbers and coughs rather than lessons
GRAM = 3  # letters in a row, of which what was chosen already shows some


@dataclass(frozen=True)
class Lesson:
    """A line, segment, sentence or clip that is worth correcting.

    Attributes:
        path: of its result: the JSON where there is one.
        source: of the result.
        task: that read it, as the table of tasks names it.
        unit: what it is: line, segment, sentence or clip.
        place: of the unit in its result, from 0.
        text: as it was read; the label of a clip.
        confidence: probability that it is right.
        number: of the page in its document, from 1; None for other sources.
    """

    path: Path
    source: Path
    task: str
    unit: str
    place: int
    text: str
    confidence: float
    number: int | None = None


@dataclass(frozen=True)
class _Candidate:
    """A lesson with what it is chosen by.

    Attributes:
        doubts: each of its letters between its neighbours, and the doubt about it.
        group: whose hand or voice it is.
    """

    lesson: Lesson
    doubts: tuple[tuple[str, float], ...]
    group: str


def next_to_correct(out: str | os.PathLike, n: int = 50, task: str | None = None) -> list[Lesson]:
    """The n results whose correction teaches most, in that order.

    That is where most errors are to be expected: the doubt (one less confidence) about each letter is added
    up, so that long lines count more than short ones. A letter counts the less, the more often those chosen
    before show it between the same neighbours, which keeps what is alike apart. A hand or voice counts
    the less, the more of it was chosen; the document or recording stands for it, or the folder of lines. What
    is very short comes last, and what was checked not at all.

    Args:
        out: an output folder.
        n: how many.
        task: whose results are meant, as the table of tasks names it; None is all of them.

    Raises:
        DataError: it is no output folder.
        ValueError: n is not above 0.
    """
    if n < 1:
        raise ValueError(f"n must be above 0, not {n}")
    candidates = [each for stored in stored_in(out) if task in (None, stored.task) for each in _of(stored)]
    counts = Counter(each.group for each in candidates)
    if len(counts) > len(candidates) / 2:  # nearly each is a file of its own: its folder says more
        candidates = [
            _Candidate(each.lesson, each.doubts, str(each.lesson.source.parent)) for each in candidates
        ]
    worth = [
        each for each in candidates if _letters(each.lesson.text) >= LEAST or each.lesson.task == "action"
    ]
    others = [each for each in candidates if each not in worth] if len(worth) < n else []
    return [each.lesson for each in (*_chosen(worth, n), *_chosen(others, n - len(worth)))]


def _chosen(candidates: Sequence[_Candidate], n: int) -> Iterator[_Candidate]:
    """The best, one after the other; what is worth less than it was is looked at anew when its turn comes."""
    import heapq

    shown: Counter[str] = Counter()
    taken: Counter[str] = Counter()

    def worth(each: _Candidate) -> float:
        new = sum(doubt / (1 + shown[gram]) for gram, doubt in each.doubts)
        return new / (1 + taken[each.group] * len(groups) / max(n, 1))

    groups = {each.group for each in candidates}
    waiting = [(-worth(each), place) for place, each in enumerate(candidates)]
    heapq.heapify(waiting)
    while waiting and n > 0:
        _, place = heapq.heappop(waiting)
        now = -worth(candidates[place])
        if waiting and now > waiting[0][0]:
            heapq.heappush(waiting, (now, place))
            continue
        chosen, n = candidates[place], n - 1
        shown.update({gram for gram, _ in chosen.doubts})
        taken[chosen.group] += 1
        yield chosen


def _of(stored: Stored) -> Iterator[_Candidate]:
    try:
        result = stored.result()
    except TriscribeError:
        return  # training names it
    if result is None or not stored.is_found:
        return
    path, source = stored.json or stored.outputs[0], stored.source
    number = getattr(result, "number", None)
    for place, (text, confidence, doubts, checked) in enumerate(_units(result)):
        if not checked:
            unit = _UNITS[type(result)]
            lesson = Lesson(path, source, stored.task, unit, place, text, confidence, number)
            yield _Candidate(lesson, doubts, str(source))


def _units(result: Transcript | Page | Actions | Caption) -> Iterator[tuple]:
    """Text, confidence, doubts, and whether it was checked, of each part that is corrected by itself."""
    if isinstance(result, Actions):
        doubt = 1 - result.score
        yield result.label, result.score, ((result.label, doubt),), result.checked
    elif isinstance(result, Transcript):
        for each in result.segments:
            signs = [(sign.text, sign.confidence) for word in each.words for sign in word.characters]
            yield each.text, each.confidence, _doubts(each, signs), each.checked or not each.found
    elif isinstance(result, Page):
        for each in result.lines:
            signs = [(sign.text, sign.confidence) for word in each.words for sign in word.glyphs]
            yield each.text, each.confidence, _doubts(each, signs), each.checked
    else:
        for each in result.sentences:
            words = [(word.text, word.confidence) for word in each.words]
            yield each.text, each.confidence, _doubts(each, words), each.checked


def _doubts(unit, signs: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Each sign with its neighbours, and the doubt about it; of the whole where it is not known of signs."""
    if not signs:
        signs = [(sign, unit.confidence) for sign in unit.text if not sign.isspace()]
    texts = [text for text, _ in signs]
    return tuple(
        ("".join(texts[max(0, place - GRAM // 2) : place + GRAM // 2 + 1]), 1 - confidence)
        for place, (_, confidence) in enumerate(signs)
    )


def _letters(text: str) -> int:
    return sum(sign.isalnum() for sign in text)
