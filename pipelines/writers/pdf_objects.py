"""The parts of a PDF file, and a font whose characters are never seen."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

UNITS = 1000  # of the font to an em
WIDTH = 500  # of each of its characters


class Objects:
    """The numbered objects of a PDF, written one after the other.

    Args:
        file: to write to; bytes.
    """

    def __init__(self, file: BinaryIO):
        self.file, self.places, self.size = file, {}, 0
        self.count = 0
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def number(self) -> int:
        """A number for an object that is added later."""
        self.count += 1
        return self.count

    def add(self, content: str, stream: bytes | None = None, number: int | None = None) -> int:
        """Write an object.

        Args:
            content: a dictionary's entries; without `stream`, the object as it is.
            stream: bytes that follow the dictionary.
            number: from `number`; None takes the next.
        """
        number = number or self.number()
        self.places[number] = self.size
        self._write(b"%d 0 obj\n" % number)
        if stream is None:
            self._write(content.encode("ascii"))
        else:
            self._write(f"<< {content} /Length {len(stream)} >>\nstream\n".encode("ascii"))
            self._write(stream)
            self._write(b"\nendstream")
        self._write(b"\nendobj\n")
        return number

    def deflated(self, content: str, stream: bytes) -> int:
        """Write an object with a compressed stream."""
        return self.add(f"{content} /Filter /FlateDecode", zlib.compress(stream))

    def finish(self, root: int, about: int) -> None:
        """Write the table of all objects, and which is the catalogue and which the document information."""
        start = self.size
        entries = "".join(f"{self.places[number]:010} 00000 n \n" for number in range(1, self.count + 1))
        self._write(f"xref\n0 {self.count + 1}\n0000000000 65535 f \n{entries}".encode("ascii"))
        trailer = f"<< /Size {self.count + 1} /Root {root} 0 R /Info {about} 0 R >>"
        self._write(f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode("ascii"))

    def _write(self, content: bytes) -> None:
        self.file.write(content)
        self.size += len(content)


def text_string(text: str) -> str:
    """A string of PDF in UTF-16."""
    return f"<FEFF{_hex(text)}>"


class InvisibleFont:
    """Gives a code to every character, or cluster of them, and says which text a code stands for.

    Any script can be searched and copied, since no shapes are needed.

    Args:
        ascent, descent: what readers mark above and below (negative) the baseline, in units.

    Source: the glyphless font of Tesseract, https://github.com/tesseract-ocr/tesseract, pdfrenderer.cpp;
    ISO 32000-1, 9.7.4 and 9.10.3.
    """

    def __init__(self, ascent: int = 800, descent: int = -200):
        self.ascent, self.descent = ascent, descent
        self.codes: dict[str, int] = {}

    def encode(self, clusters: list[str]) -> str:
        """The codes of characters as a string of PDF.

        Raises:
            ValueError: a document has more than 65,534 different ones.
        """
        numbers = [self.codes.setdefault(cluster, len(self.codes) + 1) for cluster in clusters]
        if len(self.codes) > 65_534:
            raise ValueError("a PDF cannot hold more than 65,534 different characters")
        return f"<{''.join(f'{number:04X}' for number in numbers)}>"

    def add_to(self, objects: Objects, number: int) -> None:
        """Write it as the object of this number."""
        program = _font_file(self.ascent, self.descent)
        file = objects.deflated(f"/Length1 {len(program)}", program)
        about = (
            "/Type /FontDescriptor /FontName /Invisible /Flags 5 /ItalicAngle 0 /StemV 80"
            f" /FontBBox [0 {self.descent} {WIDTH} {self.ascent}] /Ascent {self.ascent}"
            f" /Descent {self.descent} /CapHeight {self.ascent} /FontFile2 {file} 0 R"
        )
        descriptor = objects.add(f"<< {about} >>")
        glyphs = objects.deflated("", bytes(2 * (len(self.codes) + 1)))
        system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        inner = objects.add(
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Invisible {system} /DW {WIDTH}"
            f" /FontDescriptor {descriptor} 0 R /CIDToGIDMap {glyphs} 0 R >>"
        )
        texts = objects.deflated("", self._texts().encode("ascii"))
        objects.add(
            "<< /Type /Font /Subtype /Type0 /BaseFont /Invisible /Encoding /Identity-H"
            f" /DescendantFonts [{inner} 0 R] /ToUnicode {texts} 0 R >>",
            number=number,
        )

    def _texts(self) -> str:
        """The map from codes to text."""
        lines = [f"<{code:04X}> <{_hex(text)}>" for text, code in self.codes.items()]
        blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
        mapped = "\n".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
        )
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Invisible def\n/CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{mapped}\n"
            "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        )


def _hex(text: str) -> str:
    return text.encode("utf-16-be", "replace").hex().upper()


def _font_file(ascent: int, descent: int) -> bytes:
    """A TrueType font of one empty glyph."""
    tables = {
        b"glyf": b"\0" * 4,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNITS, 0, 0, 0, descent, WIDTH, ascent, 0, 8, 2, 0, 0,
        ),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, ascent, descent, 0, WIDTH, *[0] * 11, 1),
        b"hmtx": struct.pack(">Hh", WIDTH, 0),
        b"loca": struct.pack(">HH", 0, 0),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x10000, 1, 0, 0, 0, 0, 2, *[0] * 8),
    }  # fmt: skip
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    head = struct.pack(">IHHHH", 0x10000, count, 16 * power, power.bit_length() - 1, 16 * (count - power))
    place, entries, content = len(head) + 16 * count, b"", b""
    for name, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        words = struct.unpack(f">{len(padded) // 4}I", padded)
        entries += struct.pack(">4sIII", name, sum(words) & 0xFFFFFFFF, place + len(content), len(table))
        content += padded
    return head + entries + content
