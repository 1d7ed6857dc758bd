"""What a PDF says about the size of its pages and the resolution of its images, and PDFium does not tell."""

from __future__ import annotations

import math
import mmap
import re
import zlib
from collections.abc import Iterator
from ctypes import byref, c_uint
from typing import BinaryIO

UNIT = re.compile(rb"/UserUnit\s+\+?(\d*\.?\d+)(?!\s+\d+\s+R)")
PACKED = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
LONGEST = 8_000_000  # bytes of a stream of objects that are looked at
MOST = 256_000_000  # bytes of all of them, packed and unpacked
HEAD = 100_000  # bytes of an object that may be a page
DEEPEST = 8  # levels of forms within forms, and of the tree of pages
INVISIBLE = 3  # text rendering mode

Matrix = tuple[float, float, float, float]  # of directions: a, b, c, d
LEVEL: Matrix = (1.0, 0.0, 0.0, 1.0)


def units(file: BinaryIO, document) -> dict[int, float]:
    """UserUnit of the pages that have one, by page number from 1, in 1/72 inch.

    Args:
        file: of the document.
        document: the same in pypdfium2.

    Source: ISO 32000-1, 14.11.2 and 7.7.3.3.
    """
    if not _mentions_units(file):
        return {}
    collector = _Dictionaries()
    document.save(collector)  # PDFium writes every object anew, and none within another
    found = {}
    for number, page in enumerate(collector.pages(), 1):
        match = UNIT.search(page)
        unit = float(match[1]) if match else 1.0
        if unit not in (0.0, 1.0):
            found[number] = unit
    return found


def resolution(page) -> tuple[float, bool]:
    """Pixels per 1/72 inch that half of a page's area has at least in its images, times 72; 0 if none.

    Args:
        page: of pypdfium2.

    Returns:
        The resolution, and whether there is nothing visible but images.
    """
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    images, alone = [], True
    count, get = pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject
    for kind, item, matrix in _objects(page.raw, count, get, LEVEL, pdfium, 0):
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            across, down = c_uint(), c_uint()
            pdfium.FPDFImageObj_GetImagePixelSize(item, byref(across), byref(down))
            a, b, c, d = matrix
            sides = math.hypot(a, b), math.hypot(c, d)
            if min(sides) > 0 and across.value and down.value:
                density = max(across.value / sides[0], down.value / sides[1])
                images.append((density * 72, abs(a * d - b * c)))
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT:
            alone &= pdfium.FPDFTextObj_GetTextRenderMode(item) == INVISIBLE
        else:
            alone = False
    covered = 0.0
    for density, area in sorted(images, reverse=True):
        covered += area
        if covered >= width * height / 2:
            return density, alone
    return 0.0, alone


def _objects(owner, count, get, matrix: Matrix, pdfium, depth: int) -> Iterator[tuple[int, object, Matrix]]:
    """Type, handle and place of all objects, those within forms too."""
    for index in range(count(owner)):
        item = get(owner, index)
        kind = pdfium.FPDFPageObj_GetType(item)
        own = pdfium.FS_MATRIX()
        pdfium.FPDFPageObj_GetMatrix(item, byref(own))
        placed = _times((own.a, own.b, own.c, own.d), matrix)
        if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < DEEPEST:
            inside = pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject
            yield from _objects(item, *inside, placed, pdfium, depth + 1)
        else:
            yield kind, item, placed


def _times(one: Matrix, other: Matrix) -> Matrix:
    a, b, c, d = one
    e, f, g, h = other
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


def _mentions_units(file: BinaryIO) -> bool:
    """Whether there is a UserUnit anywhere in a file, also in streams of objects."""
    place = file.tell()
    try:
        try:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError, AttributeError):
            file.seek(0)
            content = file.read()
        if UNIT.search(content):
            return True
        room = MOST
        for match in PACKED.finditer(content):
            end = content.find(b"endstream", match.end(), match.end() + LONGEST)
            packed = content[match.end() : end] if end > 0 else b""
            try:
                objects = zlib.decompressobj().decompress(packed, LONGEST)
            except zlib.error:
                objects = b""
            if UNIT.search(objects):
                return True
            room -= (len(packed) or LONGEST) + len(objects) + 1000
            if room < 0:
                break
        return False
    finally:
        file.seek(place)


class _Dictionaries:
    """A file to write a PDF to that keeps only catalogue and tree of pages."""

    def __init__(self):
        self.rest = b""
        self.objects: dict[int, bytes] = {}
        self.root = 0

    def write(self, content: bytes) -> int:
        *whole, self.rest = (self.rest + bytes(content)).split(b"endobj")
        for each in whole:
            self._add(each)
        if len(self.rest) > 2 * HEAD:  # an image, say
            self.rest = self.rest[:HEAD] + self.rest[-len(b"endobj") :]
        return len(content)

    def _add(self, content: bytes) -> None:
        head = re.search(rb"(\d+)\s+\d+\s+obj\b", content[:2000])
        if not head or b"stream" in content[head.end() : head.end() + 20_000]:
            return
        if kind := re.search(rb"/Type\s*/(Catalog|Pages?)\b", content):
            self.objects[int(head[1])] = content[head.end() :]
            self.root = int(head[1]) if kind[1] == b"Catalog" else self.root

    def pages(self) -> Iterator[bytes]:
        """The dictionaries of all pages in order."""
        tree = re.search(rb"/Pages\s+(\d+)", self.objects.get(self.root, b""))
        if tree:
            yield from self._below(int(tree[1]), set(), 0)

    def _below(self, number: int, seen: set[int], depth: int) -> Iterator[bytes]:
        content = self.objects.get(number, b"")
        if number in seen or depth > 100:
            return
        seen.add(number)
        kids = re.search(rb"/Kids\s*\[([^\]]*)\]", content)
        if kids is None:
            yield content
            return
        for kid in re.findall(rb"(\d+)\s+\d+\s+R", kids[1]):
            yield from self._below(int(kid), seen, depth + 1)
