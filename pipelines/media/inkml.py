"""Reads InkML, W3C's Ink Markup Language (Recommendation of 20 September 2011).

Supported are traces with explicit and difference encoding, trace formats with order and orientation of
channels and units of time, contexts with affine canvas transforms, groups, views of traces and groups, and
annotations with labels and writers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import BinaryIO, NamedTuple

import numpy as np
from lxml import etree

from pipelines.errors import MediaError
from pipelines.media.xml import safe_parser

LARGEST = 1 << 26  # largest file in bytes, as it is read as a whole
MOST_POINTS = 1 << 20  # in one file, counting points repeated by views
MOST_VIEWS = 1 << 16
MOST_UNREAD = 1000
DEEPEST = 64  # longest chain of views or contexts
UNMAPPED = "the canvas transform is not affine and was not applied: the ink may lie otherwise"
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_LABELS = ("truth", "transcription", "label")
_WRITERS = ("writer", "writerid", "author")
_CHANNELS = {"x": "X", "y": "Y", "t": "T"}  # as some programs write them
_REFERENCES = ("contextRef", "inkSourceRef", "traceFormatRef", "canvasTransformRef")
_DEFAULTS = ("DefaultCanvas", "DefaultContext", "DefaultInkSource", "DefaultTraceFormat")
_NUMBER = r"-?\s*(?:#[0-9a-fA-F]{1,16}|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_VALUE = re.compile(rf"\s*(?:([!'\"])?\s*({_NUMBER})|([TF*?]))")


class _Unread(MediaError):
    """One trace or view cannot be read; others may."""


class Piece(NamedTuple):
    """Strokes, each (points, 3) float64 with NaN for unknown values, their label and writer.

    Attributes:
        notes: what was left out, one sentence for each.
    """

    strokes: list[np.ndarray]
    label: str | None
    writer: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """The format of a trace: its channels in order, and factors for the values of some.

    Attributes:
        canvas: (2, 3) affine map of x, y, 1 to the canvas, as a flat tuple; () for a map that is not affine;
            None for none.
    """

    channels: tuple[str, ...] = ("X", "Y")
    factors: dict[str, float] = field(default_factory=dict)
    canvas: tuple[float, ...] | None = None


def read_inkml(file: BinaryIO, name: str) -> list[Piece]:
    """Read a file as one piece or, if only groups in it have labels, each of these as one.

    Args:
        file: the open file.
        name: name of the file, for error messages.

    Raises:
        MediaError: it is not XML, not InkML, too large, contradicts itself, or has no trace that can be read.
    """
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise MediaError(name, f"is larger than {LARGEST >> 20} MiB", "split it")
    try:
        # Ids such as "2_1", which CROHME has, are none by the rules of xml:id; libxml2 gives up at them.
        root = etree.fromstring(content.replace(b"xml:id=", b"id="), safe_parser())
    except etree.XMLSyntaxError as error:
        raise MediaError(name, f"is not XML that can be read ({error})", "get a whole copy of it") from error
    if _tag(root) != "ink":
        raise MediaError(name, f"is XML of <{_tag(root)}>, not InkML's <ink>", "give an InkML file")
    if next(root.iter(etree.Entity), None) is not None:
        raise MediaError(name, "uses XML entities", "write their text out")
    try:
        return _Document(root, name).pieces()
    except _Unread as error:  # not of one trace
        raise MediaError(name, error.cause, error.way_out) from error


class _Document:
    """One InkML document, its traces read.

    Args:
        root: its <ink> element.
        name: name of the file, for error messages.
    """

    def __init__(self, root, name: str):
        self.root, self.name = root, name
        self.by_id = {_id(element): element for element in root.iter() if _id(element)}
        self.points = self.views = self.contexts = 0
        self.heads: dict = {}  # trace -> the first trace of its continuation, or itself
        self.parts: dict = {}  # first trace -> the points of all that continue it
        self.unread: dict[object, _Unread] = {}  # trace or view that cannot be read -> why
        self.unmapped = False  # whether a canvas transform was passed over
        self.left_out: list[str] = []  # why, of those that the current piece would hold
        self._read_traces(root, Format())
        self.traces = {trace: np.concatenate(parts) for trace, parts in self.parts.items()}

    def fault(self, cause: str) -> MediaError:
        return MediaError(self.name, cause, "check how it was made, or save it again")

    def unreadable(self, cause: str) -> _Unread:
        return _Unread(self.name, cause, "check how it was made, or save it again")

    def _leave_out(self, element, error: _Unread) -> None:
        self.unread[element] = error
        if len(self.unread) > MOST_UNREAD:
            raise self.fault(f"has more than {MOST_UNREAD} strokes that cannot be read")

    def pieces(self) -> list[Piece]:
        label, writer = _annotations(self.root)
        groups = [] if label is not None else _labelled(self.root)
        found = []
        for group in groups or [self.root]:
            own, by = _annotations(group)
            traces = [self.traces[element] for element in group.iter() if element in self.traces]
            self.left_out = [self.unread[each].cause for each in group.iter() if each in self.unread]
            strokes = traces or self._shown(group)
            notes = tuple(f"left out: {cause}" for cause in dict.fromkeys(self.left_out))
            notes += (UNMAPPED,) if self.unmapped else ()
            found.append(Piece(strokes, own, by or writer, notes))
        if self.unread and not any(len(stroke) for piece in found for stroke in piece.strokes):
            raise next(iter(self.unread.values()))
        return found

    # What views show

    def _shown(self, element, depth: int = 0) -> list[np.ndarray]:
        """The strokes of a trace, or of everything in a group or view."""
        self.views += 1
        if self.views > MOST_VIEWS or depth > DEEPEST:
            raise self.fault("has views of traces that lead in circles, or too many of them")
        if element in self.unread:
            self.left_out.append(self.unread[element].cause)
            return []
        if element in self.traces:
            self._count(len(self.traces[element]))
            return [self.traces[element]]
        if _tag(element) not in ("ink", "traceGroup", "traceView"):
            return []
        strokes = []
        try:
            strokes += self._referenced(element, depth)
        except _Unread as error:
            self._leave_out(element, error)
            self.left_out.append(error.cause)
        for child in element:
            strokes += self._shown(child, depth + 1)
        return strokes

    def _referenced(self, view, depth: int) -> list[np.ndarray]:
        """What a traceDataRef refers to; for a trace, its points `from` to `to`, from 1."""
        reference, first, last = (view.get(name) for name in ("traceDataRef", "from", "to"))
        if reference is None:
            return []
        target = self._target(reference)
        if target in self.unread:
            return self._shown(target)
        if first is None and last is None:
            return self._shown(target, depth + 1)
        if target not in self.traces:
            raise self.unreadable(f"has a view of a part of {reference!r}, which is not a trace")
        points = self.traces[target]
        try:
            start, end = int(first or 1), int(last or len(points))
        except ValueError:
            raise self.unreadable(f"has a view from {first!r} to {last!r}, not numbers") from None
        if not 1 <= start <= end <= len(points):
            raise self.unreadable(f"has a view from {start} to {end} of {len(points)} points")
        self._count(end - start + 1)
        return [points[start - 1 : end]]

    def _target(self, reference: str):
        key = reference.rpartition("#")[2]
        if key not in self.by_id:
            raise self.unreadable(f"refers to {reference!r}, which is not in it")
        return self.by_id[key]

    def _count(self, points: int) -> None:
        self.points += points
        if self.points > MOST_POINTS:
            raise self.fault(f"has more than {MOST_POINTS} points")

    # Formats

    def _read_traces(self, parent, form: Format) -> None:
        """Read traces in document order, each in the current format."""
        form = self._referred(parent, form)
        for child in parent:
            tag = _tag(child)
            if tag == "traceFormat":
                form = self._format(child)
            elif tag == "context":
                form = self._context(child, form)
            elif tag == "traceGroup":
                self._read_traces(child, form)
            elif tag == "trace" and child.get("type") != "penUp":
                try:
                    self._read_trace(child, self._referred(child, form))
                except _Unread as error:
                    self._leave_out(child, error)

    def _referred(self, element, form: Format) -> Format:
        return self._followed(element, ("contextRef",), form, 0)

    def _followed(self, element, names: tuple[str, ...], form: Format, depth: int) -> Format:
        """The format that an element refers to."""
        for reference in filter(None, map(element.get, names)):
            if reference.rpartition("#")[2] in _DEFAULTS:
                form = Format()
            else:
                form = self._context(self._target(reference), form, depth + 1)
        return form

    def _context(self, context, form: Format, depth: int = 0) -> Format:
        """The format that a context sets, or the one before it."""
        self.contexts += 1
        if depth > DEEPEST or self.contexts > MOST_VIEWS:
            raise self.fault("has contexts that refer to each other in a circle, or too many of them")
        if _tag(context) == "traceFormat":
            return replace(self._format(context), canvas=form.canvas)
        if _tag(context) == "canvasTransform":
            return replace(form, canvas=_affine(context))
        form = self._followed(context, _REFERENCES, form, depth)
        for child in context:
            if _tag(child) in ("traceFormat", "inkSource", "canvasTransform"):
                form = self._context(child, form, depth + 1)
        return form

    def _format(self, element) -> Format:
        channels = [child for child in element.iter() if _tag(child) == "channel"]
        if not channels:
            return Format()
        names = tuple(_CHANNELS.get(name, name) for name in (each.get("name", "") for each in channels))
        if len(set(names)) != len(names) or not {"X", "Y"} <= set(names):
            raise self.fault(f"has a trace of the channels {', '.join(names)}: X and Y are to be there once")
        factors = {
            name: -1.0 for name, channel in zip(names, channels, strict=True)
            if channel.get("orientation") == "-ve"
        }  # fmt: skip
        if "T" in names:
            factors["T"] = SECONDS.get(channels[names.index("T")].get("units"), SECONDS["ms"])
        return Format(names, factors)

    # Points

    def _read_trace(self, trace, form: Format) -> None:
        points = self._points(trace, form)
        self._count(len(points))
        head = trace
        if trace.get("continuation") in ("middle", "end"):
            prior = self._target(trace.get("priorRef") or "")
            if prior not in self.heads:
                blame = self.unreadable if prior in self.unread else self.fault
                raise blame("has a trace that continues one which is not before it")
            head = self.heads[prior]
        self.heads[trace] = head
        self.parts.setdefault(head, []).append(points)

    def _points(self, trace, form: Format) -> np.ndarray:
        """Parse the text of a trace to (points, 3): x, y, t."""
        # Runs of spaces would make the expression for a value try each way to share them out.
        text = " ".join("".join(trace.itertext()).split())
        text = text.removesuffix(",").rstrip()  # some programs end each point with one
        where = f"trace {_id(trace) or len(self.heads) + 1}"
        channels = [_Channel() for _ in form.channels]
        rows = []
        for number, point in enumerate(text.split(",") if text else (), start=1):
            values = list(self._values(point, f"point {number} of {where}"))
            given = form.channels[: len(values)]
            if len(values) > len(channels) or "X" not in given or "Y" not in given:
                cause = f"point {number} of {where} has {len(values)} values for {len(channels)} channels"
                raise _Unread(self.name, cause, "put a comma between points, and spaces between their values")
            read = [channel.read(*value) for channel, value in zip(channels, values, strict=False)]
            known = dict(zip(given, read, strict=True))
            rows.append([known.get(name, np.nan) * form.factors.get(name, 1.0) for name in "XYT"])
        points = np.array(rows, np.float64).reshape(-1, 3)
        if form.canvas:
            across, down = np.reshape(form.canvas, (2, 3))
            flat = np.column_stack([points[:, :2], np.ones(len(points))])
            points[:, 0], points[:, 1] = flat @ across, flat @ down
        elif form.canvas is not None:
            self.unmapped = True
        return points

    def _values(self, point: str, where: str):
        """Yield the encoding sign or None, and the number, "*" or "?", of each channel of a point."""
        place, point = 0, point.rstrip()
        while place < len(point):
            match = _VALUE.match(point, place)
            if not match:
                raise self.unreadable(f"{where} has {point[place : place + 20].strip()!r}, not a number")
            place = match.end()
            sign, number, other = match.groups()
            if number is None:
                yield None, "*" if other == "*" else "?"  # buttons, T and F, are of no use here
                continue
            number = "".join(number.split())
            yield sign, float(int(number.replace("#", ""), 16)) if "#" in number else float(number)


class _Channel:
    """Decodes the values of one channel: `!` explicit, `'` differences, `"` differences of these."""

    def __init__(self):
        self.sign = "!"
        self.value = self.speed = self.acceleration = 0.0

    def read(self, sign: str | None, number: float | str) -> float:
        self.sign = sign or self.sign
        if number == "?":
            return np.nan
        repeat = number == "*"  # order of the encoded quantity: value, difference, second difference
        if self.sign == "!":
            self.value = self.value if repeat else number
            return self.value
        if self.sign == "'":
            self.speed = self.speed if repeat else number
        else:
            self.acceleration = self.acceleration if repeat else number
            self.speed += self.acceleration
        self.value += self.speed
        return self.value


def _tag(element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _id(element) -> str | None:
    """The id of an element: xml:id in the Recommendation, id in its drafts and many programs."""
    return element.get("{http://www.w3.org/XML/1998/namespace}id") or element.get("id")


def _affine(transform) -> tuple[float, ...] | None:
    """The first mapping of a canvas transform, as `Format.canvas`."""
    mapping = next((child for child in transform if _tag(child) == "mapping"), None)
    if mapping is None or mapping.get("type") == "identity":
        return None
    try:
        numbers = tuple(map(float, "".join(mapping.itertext()).replace(",", " ").split()))
    except ValueError:
        return ()
    return numbers if len(numbers) == 6 and np.isfinite(numbers).all() else ()


def _labelled(parent) -> list:
    """The outermost groups and views with a label."""
    found = []
    for child in parent:
        if _tag(child) in ("traceGroup", "traceView"):
            found += [child] if _annotations(child)[0] is not None else _labelled(child)
    return found


def _annotations(element) -> tuple[str | None, str | None]:
    """Label and writer from the annotations of the element itself."""
    found = {}
    for child in element:
        if _tag(child) == "annotation":
            kind, text = (child.get("type") or "").lower(), " ".join((child.text or "").split())
            for name, kinds in (("label", _LABELS), ("writer", _WRITERS)):
                if kind in kinds and text:
                    found.setdefault(name, text)
    return found.get("label"), found.get("writer")
