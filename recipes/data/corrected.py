"""Output folders of triscribe as training data: what people have checked or corrected there.

Results say by whom and when their lines, segments, sentences or labels were checked, and PAGE or ALTO files
that were corrected in eScriptorium or Transkribus show it; see `pipelines.rewritten_pages`. So do lines that
were changed in text files or subtitles beside the JSON. What nobody has checked is the output of a model, and
to learn from it would teach the model its own errors: it is kept apart.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from pipelines.errors import TriscribeError
from pipelines.layout.lines import LineShape, line_distance
from pipelines.layout.page_layout import level_baseline
from pipelines.media.cues import Cue, read_cues
from pipelines.media.text import read_lines
from pipelines.output_folder import Stored, stored_in
from pipelines.results import Actions, Caption, Check, Page, Result, TextLine, Transcript, box
from pipelines.writers import writer
from pipelines.writers.lines import one_line
from recipes.data.manifest import Item, PageView, Rejected

CORRECTED = "corrected"  # the name of this layout
UNITS = {
    "speech": ("segment", "segments"),
    "handwriting": ("line", "lines"),
    "action": ("clip", "clips"),
    "captioning": ("sentence", "sentences"),
}
"""What people check, singular and plural, by the task."""
TURNED = re.compile(r"turned by (90|180|270) degrees clockwise to be read")  # a note of the reader of pages
ANOTHER = "was edited, and its JSON no longer says what it said before; correct JSON, PAGE or ALTO"
TIMED = (".srt", ".vtt", ".tsv")  # endings of outputs whose texts are those of segments
ROUNDED = 0.002  # seconds by which times in outputs differ from those of the result
PLACED = (".json", ".xml")  # endings of outputs from which corrections are taken
WHOLE = 0.98  # share of an image from which on its one line is the image

Judged = tuple[Item | Rejected, Check | None]


@dataclass
class Corrected:
    """The items of an output folder, and what could not become one."""

    checked: list[Item | Rejected] = field(default_factory=list)
    unchecked: list[Item] = field(default_factory=list)


def corrected(out: Path, task: str) -> Corrected:
    """The results of a task in an output folder, as items.

    Raises:
        DataError: it is no output folder.
    """
    found = Corrected()
    for stored in stored_in(out):
        if stored.task == task:
            for item, check in _items(stored):
                if isinstance(item, Rejected) or check is not None:
                    found.checked.append(item)
                else:
                    found.unchecked.append(item)
    return found


def _items(stored: Stored) -> Iterator[Judged]:
    try:
        result = stored.result()
    except TriscribeError as error:
        yield Rejected(error.path, error.cause), None
        return
    if result is None:
        reason = "holds no places or times; read its source again with --format json among others"
        yield Rejected(str(stored.outputs[0]), reason), None
    elif not stored.is_found:
        reason = "no such file, nor a file of its name and size in the output folder or beside it"
        yield Rejected(str(stored.source), reason), None
    else:
        judged = list(_READERS[stored.task](stored, result))
        if not any(path.suffix in PLACED for path in stored.edited):
            for path in sorted(stored.edited):
                if path.suffix == ".txt" and stored.task != "action":
                    judged = _retyped(path, judged, stored, result)
                elif path.suffix in TIMED and stored.task == "speech":
                    judged = _retimed(path, judged, stored, result)
                else:
                    reason = "was edited, but says nothing of places; correct JSON, PAGE or ALTO"
                    judged.append((Rejected(str(path), reason), None))
        yield from judged


def _retyped(path: Path, judged: list[Judged], stored: Stored, result: Result) -> list[Judged]:
    """Items with the text that a person has written in the file of the format txt, a line for each.

    A line that was changed counts as checked, and no other. Which these are is known only while the JSON says
    what the text file said: another model may have written it anew since.
    """
    if _said(path, stored, result) is None:
        return [*judged, (Rejected(str(path), ANOTHER), None)]
    try:
        lines = [line.strip() for line in read_lines(path) if line.strip()]
    except TriscribeError as error:
        return [*judged, (Rejected(error.path, error.cause), None)]
    places = [n for n, (item, _) in enumerate(judged) if isinstance(item, Item) and item.target.strip()]
    if len(lines) != len(places):
        reason = f"was edited, and has {len(lines)} lines of text where {len(places)} were read"
        return [*judged, (Rejected(str(path), f"{reason}; correct JSON, PAGE or ALTO"), None)]
    said = {place: one_line(judged[place][0].target).strip() for place in places}
    new = {place: line for place, line in zip(places, lines, strict=True) if line != said[place]}
    return _with_texts(judged, new)


def _with_texts(judged: list[Judged], texts: dict[int, str]) -> list[Judged]:
    """Items with the texts that a person has given some of them, by their place; these count as checked."""
    found = list(judged)
    for place, text in texts.items():
        item, check = judged[place]
        if check is None:
            found[place] = replace(item, target=text), Check("", "")
    return found


def _said(path: Path, stored: Stored, result: Result) -> str | None:
    """What triscribe wrote to an output that was edited since; None if the result says something else."""
    said = io.StringIO()
    writer(path.suffix[1:], type(result)).write(result, said)
    known = sha256(said.getvalue().encode()).hexdigest() in stored.digests.get(path, ())
    return said.getvalue() if known else None


def _retimed(path: Path, judged: list[Judged], stored: Stored, result: Transcript) -> list[Judged]:
    """Segments with the text that a person has written in subtitles or in a table.

    A segment is a cue or several, or a row of the table. Its times stay those of the JSON; one of which a cue
    was changed counts as checked.
    """
    before = _said(path, stored, result)
    if before is None:
        return [*judged, (Rejected(str(path), ANOTHER), None)]
    try:
        old, new = _timed(before), _timed("\n".join(read_lines(path)))
    except TriscribeError as error:
        return [*judged, (Rejected(error.path, error.cause), None)]
    if [cue[:2] for cue in old] != [cue[:2] for cue in new]:
        reason = "was edited, and has other times than were written; correct JSON"
        return [*judged, (Rejected(str(path), reason), None)]
    changed = {n for n, cue in enumerate(old) if cue.text != new[n].text}
    texts = {}
    for place, (item, _) in enumerate(judged):
        if isinstance(item, Item) and item.start is not None:
            own = [n for n, cue in enumerate(old) if item.start - ROUNDED <= cue.start < item.end + ROUNDED]
            if changed.intersection(own):
                texts[place] = " ".join(new[n].text for n in own).strip()
                changed.difference_update(own)
    if changed:
        reason = f"was edited in {len(changed)} places that belong to no segment; correct JSON"
        return [*judged, (Rejected(str(path), reason), None)]
    return _with_texts(judged, texts)


def _timed(text: str) -> list[Cue]:
    """The cues of subtitles, or the rows of a table of the format tsv; none of what is neither any more."""
    if not text.startswith("start\tend\t"):
        return read_cues(text, empty=True)
    rows = [line.split("\t", 3) for line in text.split("\n")[1:]]
    rows = [row for row in rows if len(row) == 4 and row[0]]
    try:
        return [Cue(float(start), float(end), " ".join(said.split())) for start, end, _, said in rows]
    except ValueError:
        return []


def _segments(stored: Stored, transcript: Transcript) -> Iterator[Judged]:
    if stored.options.get("track") is not None:
        yield (
            Rejected(str(stored.source), "was not read from its first track, which alone is learnt from"),
            None,
        )
        return
    for segment in transcript.segments:
        if segment.found:
            item = Item(stored.source, segment.text, start=segment.start, end=segment.end)
            yield item, segment.checked


def _lines(stored: Stored, page: Page) -> Iterator[Judged]:
    lines = [(line, _shape(line, name)) for line, name in _named(page)]
    was_found = not all(line.id for line in page.lines)  # lines that are given have ids
    dpi = stored.options.get("dpi")
    view = PageView((page.width, page.height), page.number, _turn(stored, page), was_found, dpi)
    if len(page.lines) == 1 and _is_whole(page.lines[0], page):
        whole = view if page.number is not None or view.turn else None
        yield Item(stored.source, page.lines[0].text, view=whole), page.lines[0].checked
        return
    placed = [shape for _, shape in lines if shape]
    distance = line_distance(placed) if placed else None
    for line, shape in lines:
        if shape:
            item = Item(stored.source, line.text, shape=shape, line_distance=distance, view=view)
            yield item, line.checked
        elif line.checked:
            yield Rejected(f"{stored.source} ({line.text[:40]})", "the line has no place on its page"), None


def _named(page: Page) -> Iterator[tuple[TextLine, str]]:
    """Lines with their ids, or those that writers give to lines without one."""
    for number, region in enumerate(page.regions, start=1):
        for place, line in enumerate(region.lines, start=1):
            yield line, line.id or f"{region.id or f'r{number}'}_l{place}"


def _shape(line: TextLine, name: str) -> LineShape | None:
    baseline = line.baseline or (level_baseline(line.polygon) if line.polygon else ())
    return LineShape(baseline, line.polygon, name) if len(baseline) > 1 else None


def _is_whole(line: TextLine, page: Page) -> bool:
    """Whether a line was read as an image that is one line."""
    if line.baseline and not line.polygon:
        return False
    left, top, right, bottom = box(line.polygon) if line.polygon else (0, 0, page.width, page.height)
    covered = (min(right, page.width) - max(left, 0)) * (min(bottom, page.height) - max(top, 0))
    return covered >= WHOLE * page.width * page.height


def _turn(stored: Stored, page: Page) -> int:
    """Degrees clockwise by which the page was turned to be read."""
    asked = str(stored.options.get("rotate", "auto"))
    said = next(filter(None, map(TURNED.search, page.notes)), None)
    return int(asked) if asked.isdecimal() else int(said[1]) if said else 0


def _clip(stored: Stored, actions: Actions) -> Iterator[Judged]:
    """The clip with its label; a longer video by its segments."""
    if len(actions.segments) < 2:
        yield Item(stored.source, actions.label), actions.checked
        return
    for segment in actions.segments:
        item = Item(stored.source, segment.label, start=segment.start, end=segment.end)
        yield item, actions.checked


def _sentences(stored: Stored, caption: Caption) -> Iterator[Judged]:
    if len(caption.sentences) > 1:
        reason = "sentences about parts of a video, of which only whole ones are learnt from"
        if any(sentence.checked for sentence in caption.sentences):
            yield Rejected(str(stored.source), reason), None
        return
    for sentence in caption.sentences:
        yield Item(stored.source, sentence.text), sentence.checked


_READERS: dict[str, Callable[[Stored, object], Iterator[Judged]]] = {
    "speech": _segments,
    "handwriting": _lines,
    "action": _clip,
    "captioning": _sentences,
}
