"""Typewritten pages as they come from archives, made by program, so that every baseline is known.

A page has text in one or two line spacings, headings, page numbers, dates and notes beside its lines, words
inserted between them, tables; holes, blots, stamps, folds and a scanner's border; a ribbon more or less worn,
and it lies a little askew. What it has is drawn by chance from its seed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "was",
    "that",
    "for",
    "on",
    "with",
    "his",
    "by",
    "at",
    "which",
    "from",
    "had",
    "this",
    "are",
    "were",
    "been",
    "their",
    "report",
    "section",
    "general",
    "letter",
    "number",
    "ministry",
    "enclosed",
    "received",
    "committee",
    "Monday",
    "following",
    "please",
    "copies",
    "office",
    "station",
    "le",
    "la",
    "les",
    "des",
    "une",
    "dans",
    "pour",
    "avec",
    "sur",
    "nous",
    "vous",
    "est",
    "été",
    "qui",
    "que",
    "par",
    "même",
    "où",
    "voyage",
    "départ",
    "ville",
    "monsieur",
    "président",
    "réunion",
    "travail",
    "rapport",
    "général",
    "gouvernement",
    "jusqu'à",
    "aujourd'hui",
    "l'arrivée",
    "fête",
    "garçon",
    "der",
    "die",
    "das",
    "und",
    "nicht",
    "wird",
    "über",
    "für",
    "durch",
    "Abteilung",
    "Bericht",
    "gemäß",
    "Straße",
    "Schreiben",
    "geehrter",
    "zurück",
    "quickly",
    "jumping",
    "typography",
    "opportunity",
    "Washington",
    "Philadelphia",
    "kg.",
    "No.",
    "Mr.",
    "Dr.",
    "1,250",
    "1946",
    "23rd",
    "£5",
    "12/6",
    "A.B.C.",
]
SIZES = ((8.27, 11.69), (8.5, 11.0), (8.0, 10.0), (8.5, 13.0), (5.83, 8.27))  # inches: A4, letter, quarto ...


APART = 5  # spaces between two cells of a table from which they are two lines


@dataclass(frozen=True)
class Line:
    """A line that is on a page.

    Attributes:
        kind: body, last (short), heading, number, date, note, inserted or cell (of a table).
        baseline: its ends, in pixels.
    """

    kind: str
    baseline: list[tuple[float, float]]


@dataclass(frozen=True)
class Mark:
    """What is on a page and no line: hole, blot, stamp, ruling, fold or border; its box in pixels."""

    kind: str
    box: tuple[float, float, float, float]


@dataclass
class TypedPage:
    """A page, (height, width) uint8, its lines, marks that are none, and how far off a baseline may be."""

    pixels: np.ndarray
    lines: list[Line]
    marks: list[Mark]
    tolerance: float


def read_fonts(folder: Path) -> tuple[list[Path], list[Path]]:
    """Faces of typewriters and of hands: by the kinds in fonts.tsv, or else all are of typewriters."""
    table = folder / "fonts.tsv"
    if not table.is_file():
        faces = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".ttf", ".otf"))
        return faces, []
    head, *rows = (row.split("\t") for row in table.read_text("utf-8").splitlines())
    kind, file = head.index("kind"), head.index("file")
    named = [(row[kind], folder / row[file]) for row in rows if len(row) > kind]
    typed = [path for name, path in named if name == "typewriter"]
    return typed, [path for name, path in named if name in ("cursive", "print")]


def make_page(seed: int, typed: Sequence[Path], hands: Sequence[Path]) -> TypedPage:
    """The page of a seed."""
    return _Sheet(np.random.default_rng(seed), typed, hands).page()


class _Sheet:
    """A sheet in the machine: what is typed is drawn on `ink`, (height, width) float32 darkness."""

    def __init__(self, rng: np.random.Generator, typed: Sequence[Path], hands: Sequence[Path]):
        self.rng = rng
        self.dpi = int(rng.choice([150, 180, 200, 240, 300], p=[0.25, 0.1, 0.3, 0.1, 0.25]))
        width, height = SIZES[rng.choice(len(SIZES), p=[0.45, 0.2, 0.15, 0.08, 0.12])]
        self.width, self.height = round(width * self.dpi), round(height * self.dpi)
        self.ink = np.zeros((self.height, self.width), np.float32)
        self.lines: list[Line] = []
        self.marks: list[Mark] = []
        self.pitch = self.dpi / float(rng.choice([10, 12, 11], p=[0.6, 0.35, 0.05]))
        self.single = self.dpi / float(rng.choice([6, 5.25, 6.4], p=[0.8, 0.1, 0.1]))
        path = typed[rng.integers(len(typed))]
        advance = ImageFont.truetype(str(path), 200).getlength("n") / 200
        self.face = ImageFont.truetype(str(path), round(self.pitch / advance))
        hand = hands[rng.integers(len(hands))] if hands else path
        self.hand = ImageFont.truetype(str(hand), round(self.dpi * rng.uniform(0.13, 0.2)))
        self.glyphs: dict[str, tuple[np.ndarray, int]] = {}
        self.strength = rng.uniform(0.55, 1.0) if rng.random() < 0.6 else rng.uniform(0.3, 0.55)
        self.unsteady = rng.uniform(0, 0.05) if rng.random() < 0.7 else rng.uniform(0.05, 0.12)
        self.worn = rng.uniform(0.02, 0.3)

    def maybe(self, chance: float) -> bool:
        return bool(self.rng.random() < chance)

    def page(self) -> TypedPage:
        rng, inch = self.rng, self.dpi
        small = self.width < 6.5 * inch
        self.left = rng.uniform(0.6, 1.0 if small else 2.0) * inch
        self.right = self.width - rng.uniform(0.3, 0.7 if small else 1.2) * inch
        self.columns = int((self.right - self.left) / self.pitch)
        y = rng.uniform(0.5, 1.4) * inch
        bottom = self.height - rng.uniform(0.4, 1.4) * inch
        if self.maybe(0.15):  # a page that is hardly begun, or ends early
            bottom = y + rng.uniform(0.15, 0.6) * (bottom - y)
        spacings = np.array([1.0, 1.5, 2.0])
        usual, other = rng.choice(spacings, 2, replace=False, p=[0.45, 0.2, 0.35])
        mixed = self.maybe(0.45)
        inserts = self.maybe(0.4)
        if self.maybe(0.55):
            y = self._number(y)
        if self.maybe(0.35):
            y = self._letterhead(y)
        body: list[tuple[float, float]] = []
        while y < bottom:
            spacing = other if mixed and self.maybe(0.4) else usual
            kind = rng.random()
            if kind < 0.12:
                y = self._heading(y, usual)
            elif kind < 0.2 and not small:
                y = self._table(y, spacing, bottom)
            else:
                y = self._paragraph(y, spacing, bottom, spacing != usual, body)
            y += self.single * rng.choice([0, 0.5, 1.0, 2.0], p=[0.5, 0.1, 0.3, 0.1])
        if self.maybe(0.2):
            text = self._text(rng.integers(8, 24))
            x = self.left + rng.uniform(0.3, 0.6) * (self.right - self.left)
            self._write(text, x, y + 2 * self.single, "body")
        if inserts:
            self._insertions(body)
        if self.maybe(0.4):
            self._notes(body)
        self._marks_of_ink()
        return self._scanned()

    def _text(self, length: int) -> str:
        """Words of at most so many letters, at least one."""
        text = ""
        while True:
            word = str(self.rng.choice(WORDS))
            if self.maybe(0.12):
                word += str(self.rng.choice([",", ".", ";", " -"]))
            longer = f"{text} {word}" if text else word
            if len(longer) > length:
                return text or word[:length]
            text = longer

    def _glyph(self, letter: str) -> tuple[np.ndarray, int]:
        """Its darkness, with an empty margin, and how far its first row lies above the baseline."""
        if letter not in self.glyphs:
            size = self.face.size
            image = Image.new("L", (2 * size, 2 * size))
            ImageDraw.Draw(image).text((size // 2, int(1.4 * size)), letter, 255, self.face, anchor="ls")
            self.glyphs[letter] = np.asarray(image, np.float32) / 255, int(1.4 * size)
        return self.glyphs[letter]

    def _type(self, text: str, x: float, y: float, kind: str | None, strength: float = 1.0) -> float:
        """Type a text from a column on a baseline; returns the column behind it."""
        text = text.rstrip()
        first, last = None, x
        for letter in text:
            if letter != " ":
                glyph, rise = self._glyph(letter)
                down = self.rng.normal(0, self.unsteady * self.pitch)
                dark = self.strength * strength * (1 - self.worn * self.rng.random())
                self._stamp(glyph * dark, round(x) - self.face.size // 2, round(y + down) - rise)
                first = x if first is None else first
                last = x + self.pitch
            x += self.pitch
        if kind and first is not None:
            self.lines.append(Line(kind, [(first, y), (last, y)]))
        return x

    def _stamp(self, glyph: np.ndarray, left: int, top: int) -> None:
        rows = slice(max(0, top), min(self.height, top + glyph.shape[0]))
        columns = slice(max(0, left), min(self.width, left + glyph.shape[1]))
        if rows.start < rows.stop and columns.start < columns.stop:
            part = glyph[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            self.ink[rows, columns] = np.maximum(self.ink[rows, columns], part)

    def _write(self, text: str, x: float, y: float, kind: str) -> None:
        """Write by hand."""
        image = Image.new("L", (self.width, self.height))
        ImageDraw.Draw(image).text((x, y), text, 255, self.hand, anchor="ls")
        self.ink = np.maximum(self.ink, np.asarray(image, np.float32) / 255 * self.rng.uniform(0.5, 0.9))
        box = image.getbbox()
        if box:
            self.lines.append(Line(kind, [(box[0], y), (box[2], y)]))

    def _number(self, y: float) -> float:
        """A page number at the top: alone, or beside the first line."""
        text = f"{self.rng.integers(1, 400)}"
        text = str(self.rng.choice([text, f"- {text} -", f"-{text}-", f"Page {text}", f"{text}."]))
        beside = self.maybe(0.4)
        if beside:
            x = self.right + self.rng.uniform(0.2, 2.5) * self.pitch
        else:
            x = self.rng.choice([(self.left + self.right) / 2, self.right - len(text) * self.pitch])
        x = min(x, self.width - (len(text) + 0.5) * self.pitch)
        drop = self.rng.choice([0.0, self.rng.uniform(-0.4, 0.4)]) * self.single
        self._type(text, x, y + (drop if beside else 0), "number")
        return y if beside else y + self.single * self.rng.choice([1.5, 2, 3, 4])

    def _letterhead(self, y: float) -> float:
        """An address at the left, place and date at the right, at times on the same row."""
        x = self.left + self.rng.uniform(0.45, 0.7) * (self.right - self.left)
        right = int((self.right - x) / self.pitch)
        same = self.maybe(0.5)
        rows = int(self.rng.integers(1, 5))
        for row in range(rows):
            self._type(self._text(int(0.35 * self.columns)), self.left, y + row * self.single, "body")
        top = y if same else y + rows * self.single
        count = int(self.rng.integers(1, 4))
        for row in range(count):
            self._type(self._text(max(6, right)), x, top + row * self.single, "date")
        return max(y + rows * self.single, top + count * self.single) + 2 * self.single

    def _heading(self, y: float, spacing: float) -> float:
        y += 0.5 * self.single
        for _ in range(int(self.rng.choice([1, 1, 2]))):
            text = self._text(int(self.rng.uniform(0.2, 0.6) * self.columns))
            text = text.upper() if self.maybe(0.6) else text
            if self.maybe(0.2) and 2 * len(text) < self.columns:
                text = " ".join(text)
            x = self.left if self.maybe(0.3) else self.left + (self.columns - len(text)) // 2 * self.pitch
            self._type(text, x, y, "heading")
            if self.maybe(0.4):
                self._underline(x, x + len(text) * self.pitch, y)
            y += self.single * max(1.0, spacing)
        return y + 0.5 * self.single

    def _underline(self, x: float, end: float, y: float) -> None:
        y = round(y + self.rng.uniform(0.1, 0.2) * self.single)
        cv2.line(self.ink, (round(x), y), (round(end), y), self.strength, max(1, self.dpi // 90))

    def _paragraph(self, y: float, spacing: float, bottom: float, quoted: bool, body: list) -> float:
        count = int(self.rng.integers(1, 12))
        inset = int(self.rng.integers(3, 9)) if quoted else 0
        indent = int(self.rng.choice([0, 3, 5, 8]))
        for row in range(count):
            if y > bottom:
                break
            first, room = (
                (inset, self.columns - 2 * inset) if row else (inset + indent, self.columns - inset - indent)
            )
            last = row == count - 1
            if last:
                room = max(3, int(room * self.rng.uniform(0.05, 0.9)))
            elif self.maybe(0.1):
                room = max(8, int(room * self.rng.uniform(0.6, 1)))
            x, text = self.left + first * self.pitch, self._text(room)
            end = self._type(text, x, y, "last" if last else "body")
            if not row and self.maybe(0.08):
                self._date(x, y)
            if not last and self.maybe(0.03):
                where = x + self.rng.integers(max(1, len(text) - 8)) * self.pitch
                self._type("x" * int(self.rng.integers(3, 12)), where, y, None)
            if self.maybe(0.04):
                self._underline(x, x + self.rng.uniform(0.2, 1) * (end - x), y)
            if not last and spacing >= 1.5:
                body.append((x, y))
            y += spacing * self.single
        return y

    def _date(self, x: float, y: float) -> None:
        """A date or a number in the left margin beside a line."""
        text = str(self.rng.choice(["12.3.", "1946", "4/7", "17", "3)", "Mai 5", "No. 8", "7th"]))
        at = x - (len(text) + self.rng.uniform(1.5, 4)) * self.pitch
        if at > 0.15 * self.dpi:
            self._type(text, at, y + self.rng.choice([0, self.rng.uniform(-0.3, 0.3)]) * self.single, "date")

    def _table(self, y: float, spacing: float, bottom: float) -> float:
        """Rows with tab stops; cells far apart are lines of their own."""
        stops = sorted(
            int(each) for each in self.rng.choice(np.arange(14, self.columns - 8), 2, replace=False)
        )
        if stops[1] - stops[0] < 9:
            stops = stops[:1]
        dots = self.maybe(0.3)
        for _ in range(int(self.rng.integers(3, 10))):
            if y > bottom:
                break
            row = self._text(stops[0] - 3)
            for stop in stops:
                row = row.ljust(stop - 1, "." if dots else " ") + " "
                row += f"{self.rng.integers(1, 9000) / self.rng.choice([1, 100]):.4g}"
            for cell in re.finditer(rf"\S+(?: {{1,{APART - 1}}}\S+)*", row):
                self._type(cell[0], self.left + cell.start() * self.pitch, y, "cell")
            y += spacing * self.single
        return y

    def _insertions(self, body: list[tuple[float, float]]) -> None:
        by_hand = self.maybe(0.4)
        for x, y in body:
            if not self.maybe(0.15):
                continue
            text = self._text(int(self.rng.integers(5, 25)))
            x += self.rng.uniform(0.05, 0.5) * (self.right - self.left)
            rise = self.rng.uniform(0.62, 0.95) * self.single
            if by_hand:
                self._write(text, x, y - rise, "inserted")
            else:
                self._type(text, x, y - rise, "inserted")
            if self.maybe(0.5):
                foot = (round(x - 0.5 * self.pitch), round(y - 0.1 * self.single))
                for side in (-1, 1):
                    tip = (foot[0] + round(side * 0.4 * self.pitch), foot[1] + round(0.4 * self.single))
                    cv2.line(self.ink, foot, tip, 0.7, max(1, self.dpi // 90), cv2.LINE_AA)

    def _notes(self, body: list[tuple[float, float]]) -> None:
        """Notes in the left margin beside the text."""
        room = self.left - 0.25 * self.dpi
        count = int(room / self.pitch) - 2
        for _ in range(int(self.rng.integers(1, 4))):
            if count < 4:
                return
            y = self.rng.uniform(0.2, 0.9) * self.height
            for _ in range(int(self.rng.integers(1, 5))):
                text = self._text(count)
                if any(
                    abs(line.baseline[0][1] - y) < 0.6 * self.single
                    for line in self.lines
                    if line.kind == "note"
                ):
                    break
                if any(line.kind == "date" and line.baseline[0][0] < self.left for line in self.lines):
                    break
                if self.maybe(0.5):
                    self._type(text, 0.2 * self.dpi, y, "note")
                else:
                    image_width = self.hand.getlength(text)
                    if image_width > room:
                        break
                    self._write(text, 0.2 * self.dpi, y, "note")
                y += self.rng.uniform(1.0, 1.3) * max(self.single, 0.9 * self.hand.size)

    def _marks_of_ink(self) -> None:
        """Blots, stamps, strokes of a pen, folds."""
        rng, inch = self.rng, self.dpi
        for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.5, 0.25, 0.15, 0.1]))):
            x, y = rng.uniform(0, self.width), rng.uniform(0, self.height)
            size = rng.uniform(0.03, 0.2) * inch
            for _ in range(int(rng.integers(1, 6))):
                at = (round(x + rng.normal(0, size / 2)), round(y + rng.normal(0, size / 2)))
                axes = (max(1, round(size * rng.uniform(0.3, 1))), max(1, round(size * rng.uniform(0.3, 1))))
                cv2.ellipse(
                    self.ink,
                    at,
                    axes,
                    rng.uniform(0, 180),
                    0,
                    360,
                    float(rng.uniform(0.4, 1)),
                    -1,
                    cv2.LINE_AA,
                )
            self.marks.append(Mark("blot", (x - 1.5 * size, y - 1.5 * size, x + 1.5 * size, y + 1.5 * size)))
        if self.maybe(0.3):
            self._rubber_stamp()
        if self.maybe(0.15):
            y = round(rng.uniform(0.3, 0.7) * self.height)
            cv2.line(
                self.ink,
                (0, y),
                (self.width, y + round(rng.normal(0, 6))),
                float(rng.uniform(0.1, 0.5)),
                max(1, inch // 80),
            )
            self.marks.append(Mark("fold", (0, y - 8, self.width, y + 8)))

    def _rubber_stamp(self) -> None:
        rng, inch = self.rng, self.dpi
        wide, high = rng.uniform(0.8, 1.8) * inch, rng.uniform(0.5, 1.1) * inch
        layer = np.zeros_like(self.ink)
        x, y = rng.uniform(wide / 2, self.width - wide / 2), rng.uniform(high / 2, self.height - high / 2)
        thick = max(1, inch // 70)
        if self.maybe(0.5):
            for share in (1.0, 0.72):
                axes = (round(share * wide / 2), round(share * wide / 2))
                cv2.ellipse(layer, (round(x), round(y)), axes, 0, 0, 360, 1.0, thick, cv2.LINE_AA)
            high = wide
        else:
            corners = [(round(x + a * wide / 2), round(y + b * high / 2)) for a, b in ((-1, -1), (1, 1))]
            cv2.rectangle(layer, *corners, 1.0, thick, cv2.LINE_AA)
        for row in (-0.12, 0.12):
            text = self._text(9).upper()
            scale = 0.55 * wide / max(1, cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1, 2)[0][0])
            at = (round(x - 0.28 * wide), round(y + row * high + 0.05 * inch))
            cv2.putText(layer, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, 1.0, thick, cv2.LINE_AA)
        turn = cv2.getRotationMatrix2D((x, y), rng.normal(0, 12), 1.0)
        layer = cv2.warpAffine(layer, turn, (self.width, self.height)) * rng.uniform(0.25, 0.7)
        self.ink = np.maximum(self.ink, layer)
        half = 0.6 * max(wide, high)
        self.marks.append(Mark("stamp", (x - half, y - half, x + half, y + half)))

    def _scanned(self) -> TypedPage:
        """The sheet on the scanner: paper, holes, skew, border, blur, noise."""
        rng, inch = self.rng, self.dpi
        if self.maybe(0.35):  # a copy
            self.ink = cv2.GaussianBlur(self.ink, (0, 0), rng.uniform(0.6, 1.6) * inch / 150)
        patches = cv2.resize(rng.normal(0, 1, (9, 7)).astype(np.float32), (self.width, self.height))
        self.ink *= np.clip(1 - rng.uniform(0, 0.25) * patches, 0.3, 1.2)
        paper = rng.uniform(190, 250) + rng.uniform(0, 8) * cv2.resize(
            rng.normal(0, 1, (6, 5)).astype(np.float32), (self.width, self.height)
        )
        if self.maybe(0.25):  # the other side shows through
            back = cv2.GaussianBlur(self.ink[:, ::-1], (0, 0), 2) * rng.uniform(0.05, 0.2)
            self.ink = np.maximum(self.ink, np.roll(back, round(0.4 * self.single), axis=0))
        pixels = paper * (1 - 0.85 * np.clip(self.ink, 0, 1))
        dark = rng.uniform(0, 60)
        self._holes(pixels, dark)
        pixels, matrix = self._askew(pixels, dark if self.maybe(0.5) else float(paper.mean()))
        lines = [
            Line(line.kind, [tuple(matrix @ (x, y, 1)) for x, y in line.baseline]) for line in self.lines
        ]
        marks = self.marks
        if self.maybe(0.4):
            sides = [round(rng.uniform(0.05, 0.4) * inch) if self.maybe(0.6) else 0 for _ in range(4)]
            top, bottom, left, right = sides
            pixels = cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_CONSTANT, value=dark)
            lines = [Line(each.kind, [(x + left, y + top) for x, y in each.baseline]) for each in lines]
            marks = [Mark(each.kind, tuple(np.add(each.box, (left, top, left, top)))) for each in marks]
            height, width = pixels.shape
            around = [(0, 0, width, top), (0, height - bottom, width, height), (0, 0, left, height)]
            around.append((width - right, 0, width, height))
            marks += [Mark("border", box) for box in around]
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 0.9) * inch / 200)
        pixels += rng.normal(0, rng.uniform(0.5, 6), pixels.shape)
        pixels = np.clip(pixels, 0, 255).astype(np.uint8)
        _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))])
        return TypedPage(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), lines, marks, 0.3 * self.single)

    def _holes(self, pixels: np.ndarray, dark: float) -> None:
        if not self.maybe(0.45):
            return
        count, apart = (2, 80 / 25.4) if self.maybe(0.7) else (4, 80 / 25.4)
        x = self.rng.uniform(0.3, 0.5) * self.dpi
        radius = self.rng.uniform(2.2, 3.2) / 25.4 * self.dpi
        shade = dark if self.maybe(0.7) else 250.0
        for number in range(count):
            y = self.height / 2 + (number - (count - 1) / 2) * apart * self.dpi
            at = (round(x), round(y))
            cv2.circle(pixels, at, round(radius), shade, -1, cv2.LINE_AA)
            if self.maybe(0.5):
                cv2.circle(pixels, at, round(1.1 * radius), 150.0, max(1, self.dpi // 100), cv2.LINE_AA)
            self.marks.append(Mark("hole", (x - radius, y - radius, x + radius, y + radius)))

    def _askew(self, pixels: np.ndarray, around: float) -> tuple[np.ndarray, np.ndarray]:
        degrees = self.rng.normal(0, 0.7) if self.maybe(0.7) else 0.0
        matrix = cv2.getRotationMatrix2D((self.width / 2, self.height / 2), degrees, 1.0)
        pixels = pixels.astype(np.float32)
        return cv2.warpAffine(pixels, matrix, (self.width, self.height), borderValue=around), matrix
