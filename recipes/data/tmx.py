"""Reads translation memories (TMX 1.4b, LISA 2005): XML with the same text in several languages."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from pipelines.errors import DataError, MediaError
from pipelines.media.files import locate, unzipped
from pipelines.media.text import LARGEST
from recipes.data.languages import Languages, matching

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
CODES = ("bpt", "ept", "ph", "it", "ut")  # elements that hold formatting of another program


class Unit(NamedTuple):
    """A translation unit: its number in the file from 1, and its two texts, empty where one is missing."""

    number: int
    source: str
    target: str


def read_tmx(path: Path, languages: Languages) -> tuple[Languages, list[Unit]]:
    """The units of a translation memory, which may be compressed (gzip), and their languages.

    Args:
        path: the file.
        languages: which are wanted; without them the file must hold two, of which that of its header is the
            source.

    Raises:
        DataError: the file cannot be read, is no TMX, or the languages cannot be told.
    """
    units, first = _units(path)
    names = list(dict.fromkeys(name for unit in units for name in unit))
    chosen = _chosen(path, names, languages, first)
    found = []
    for number, unit in enumerate(units, start=1):
        # a variety of the language stands in where a unit has no text in the language itself
        texts = [next((unit[name] for name in matching(names, code) if name in unit), "") for code in chosen]
        found.append(Unit(number, *texts))
    return chosen, found


def _units(path: Path) -> tuple[list[dict[str, str]], str | None]:
    """Each unit as language -> text, and the language of the header."""
    units: list[dict[str, str]] = []
    first = None
    try:
        with locate(path)[1]() as file:
            stream = unzipped(file)
            options = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
            for _, element in etree.iterparse(stream, events=("end",), tag=("{*}header", "{*}tu"), **options):
                if stream.tell() > LARGEST:
                    raise DataError(
                        path, "holds too much text", f"give a part of at most {LARGEST / 1e6:.0f} MB"
                    )
                if etree.QName(element).localname == "header":
                    first = element.get("srclang")
                    continue
                units.append(_texts(element))
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except MediaError as error:
        raise DataError(path, error.cause, error.way_out) from error
    except (etree.XMLSyntaxError, EOFError, OSError, ValueError, zlib.error) as error:
        raise DataError(path, f"is no readable TMX ({error})", "export it again") from error
    if not units:
        raise DataError(path, "holds no translation unit", "give a file with some")
    return units, first


def _texts(unit: etree._Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for variant in unit.iterfind("{*}tuv"):
        name = (variant.get(XML_LANG) or variant.get("lang") or "").strip().lower()
        segment = variant.find("{*}seg")
        if name and segment is not None:
            texts.setdefault(name, " ".join(_plain(segment).split()))
    return texts


def _plain(element: etree._Element) -> str:
    """The text of a segment without codes of formatting."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname not in CODES:
            parts.append(_plain(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _chosen(path: Path, names: list[str], languages: Languages, first: str | None) -> Languages:
    found = languages.among(names)
    if found:
        return found
    primary = list(dict.fromkeys(name.split("-")[0] for name in names))
    if languages == Languages() and len(primary) == 2:
        source = next((name for name in primary if first and first.lower().split("-")[0] == name), None)
        if source:
            return Languages(source, next(name for name in primary if name != source))
    raise languages.refused(path, names)
