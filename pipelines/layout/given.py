"""Reads the text lines of a page and their texts from PAGE XML and ALTO files.

Supported are PAGE of 2010 to 2019 and ALTO 2 to 4, as in their schemas and as written by Transkribus and
eScriptorium. Elements are recognised by their local names in any namespace. Lines that cannot be used are
skipped and named.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pipelines.errors import MediaError
from pipelines.layout.alto_reader import AltoReader
from pipelines.layout.layout_reader import local_name
from pipelines.layout.page_layout import PageLayout
from pipelines.layout.page_reader import PageReader
from pipelines.media.files import locate, readable
from pipelines.media.xml import safe_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

LARGEST = 1 << 27  # bytes of a file


def is_layout(path: str | os.PathLike) -> bool:
    """Whether a file is PAGE XML or ALTO, by its first 64 KiB."""
    name, open_it = locate(path)
    with readable(name, open_it) as file:
        return re.search(rb"<(\w+:)?(PcGts|alto)[\s>]", file.read(65536)) is not None


def read_layout(path: str | os.PathLike) -> PageLayout:
    """Read a PAGE XML or ALTO file.

    A line without a baseline gets a level one, estimated from its outline.

    Raises:
        MediaError: the file does not exist, is damaged, too large, or neither PAGE nor ALTO; it has a
            document type or entities of its own; its units are not supported; or none of its lines can be
            used.
    """
    root = _parsed(path)
    pages = root.findall(".//{*}Page")
    if local_name(root) not in ("PcGts", "alto"):
        raise MediaError(path, f"is XML, but of <{local_name(root)}>", "give a PAGE XML or ALTO file")
    if len(pages) != 1:
        raise MediaError(path, f"holds {len(pages)} pages", "export each page to a file of its own")
    reader = (PageReader if local_name(root) == "PcGts" else AltoReader)(path, root, pages[0])
    regions = tuple(reader.regions())
    if reader.faults and not any(region.lines for region in regions):
        raise reader.faults[0]
    facts = {name: (text or "").strip() for name, text in reader.facts().items()}
    size = reader.width, reader.height
    return PageLayout(reader.image(), *size, regions, tuple(reader.skipped), reader.has_baselines, **facts)


def _parsed(path: str | os.PathLike) -> Element:
    from lxml import etree

    try:
        name, open_it = locate(path)
        with readable(name, open_it) as file:
            if file.seek(0, os.SEEK_END) > LARGEST:
                cause = f"is larger than {LARGEST >> 20} MiB"
                raise MediaError(path, cause, "export each page to its own file")
            file.seek(0)
            tree = etree.parse(file, safe_parser())
    except etree.XMLSyntaxError as error:
        raise MediaError(path, f"is not well-formed XML ({error.msg})", "export it again") from error
    if tree.docinfo.internalDTD is not None:
        raise MediaError(path, "brings a document type of its own, which is not read", "remove <!DOCTYPE>")
    return tree.getroot()
