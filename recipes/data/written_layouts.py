"""Layouts of handwriting: images of lines, pages with their layout files, and ink. See `layouts.py`."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

from pipelines.errors import MediaError
from pipelines.layout.given import LayoutLine, is_layout, read_layout
from pipelines.layout.lines import line_distance
from pipelines.media.files import unzipped
from recipes.data.folders import first_line, shown, split_above, split_in, split_named, tabbed, walk
from recipes.data.manifest import Item, Rejected
from recipes.data.speech_layouts import Found, Layout, find_media, is_pairs, read_pairs

PLAIN_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
IMAGES = (*PLAIN_IMAGES, ".nrm.png", ".bin.png")  # of OCRopus and Calamari: flattened, binarised
LINE_TEXTS = (".gt.txt", ".txt")


# labels.tsv: path, text and perhaps split; with a header the columns are found by these names


def is_labels(root: Path) -> bool:
    return "\t" in first_line(_labels(root))


def read_labels(root: Path) -> Found:
    table = _labels(root)
    for row in tabbed(table, ["path", "text", "split"], needed=2):
        if isinstance(row, Rejected):
            yield row
        else:
            path, split = table.parent / row["path"], split_named(row.get("split"))
            yield Item(path, row["text"], split, row.get("writer") or None)


def _labels(root: Path) -> Path:
    return root if root.suffix == ".tsv" else root / "labels.tsv"


# Images: of lines, with .gt.txt or .txt beside them; of pages, with PAGE XML or ALTO; or both in one tree


def is_images(root: Path) -> bool:
    pages = (path for path in walk(root) if path.suffix.lower() == ".xml")
    return any(map(is_layout, pages)) or is_pairs(root, IMAGES, LINE_TEXTS)


def read_images(root: Path) -> Found:
    """A page's image is no line, even if its text lies beside it too."""
    pages: dict[Path, Path] = {}
    not_lines = set()
    for file in walk(root):
        if file.suffix.lower() != ".xml":
            continue
        not_lines.add(file.with_suffix(""))
        try:
            layout = read_layout(file)
        except MediaError as error:
            yield Rejected(shown(file, root), error.cause)
            continue
        image = _page_image(file, layout.image)
        not_lines.add(image.with_suffix(""))
        if pages.setdefault(image, file) != file:
            yield Rejected(shown(file, root), f"the image's lines are taken from {shown(pages[image], root)}")
        elif reason := _misfit(image, (layout.width, layout.height)):
            yield Rejected(shown(file, root), reason)
        else:
            yield from _page_lines(file, image, layout.lines, root)
    for found in read_pairs(root, IMAGES, LINE_TEXTS):
        path = found.path if isinstance(found, Item) else root / found.path
        if path.with_suffix("") not in not_lines:
            yield found


def _page_lines(file: Path, image: Path, lines: tuple[LayoutLine, ...], root: Path) -> Found:
    if not lines:
        yield Rejected(shown(file, root), "no text lines")
        return
    distance = line_distance([line.shape for line in lines])
    for number, line in enumerate(lines, start=1):
        if line.text.strip():
            split = split_above(file, root)
            yield Item(image, line.text, split, image.stem, shape=line.shape, line_distance=distance)
        else:
            yield Rejected(f"{shown(file, root)} ({line.shape.id or f'line {number}'})", "no text")


def _page_image(file: Path, name: str) -> Path:
    """By the name in the layout file, else by its own; beside it, or above it as Transkribus has it."""
    own = re.sub(r"\.(page|alto)$", "", file.stem)
    names = [name.replace("\\", "/").rpartition("/")[2], file.stem, own]
    folders = (file.parent, file.parent.parent)
    candidates = [find_media(folder / name, PLAIN_IMAGES) for name in names if name for folder in folders]
    return next((path for path in candidates if os.path.isfile(path)), candidates[0])


def _misfit(image: Path, size: tuple[int, int]) -> str | None:
    """Why a layout cannot be this image's. Whether the image can be read is found out later, for all."""
    from PIL import Image

    try:
        with Image.open(image) as opened:
            found = opened.size
    except (OSError, Image.DecompressionBombError):
        return None
    if 0 in size or sorted(size) == sorted(found):  # its sides are swapped when EXIF data turn the image
        return None
    width, height = size
    return f"is of an image of {width} x {height} pixels, and {image.name} has {found[0]} x {found[1]}"


HANDWRITING = (
    Layout("labels", "labels.tsv with path, text and perhaps split", is_labels, read_labels),
    Layout(
        "images",
        "images with a .gt.txt or .txt of the same name beside them, or PAGE XML or ALTO files with images",
        is_images,
        read_images,
    ),
)


# Ink: JSON lines with "strokes", and InkML; files and folders named train, dev, test ... are splits


def is_written_ink(root: Path) -> bool:
    return any(map(_holds_ink, _ink_files(root)))


def read_written_ink(root: Path) -> Found:
    from pipelines.media.ink import read_ink

    folder = root.parent if root.is_file() else root
    for file in _ink_files(root):
        try:
            pieces = read_ink(file)
        except MediaError as error:
            yield Rejected(error.path.removeprefix(f"{folder}{os.sep}"), error.cause)
            continue
        split = split_in(file.name) or split_above(file, folder)
        for index, ink in enumerate(pieces):
            if ink.label is None:
                yield Rejected(f"{shown(file, folder)}:{ink.number}", "no label")
            else:
                yield Item(file, ink.label, split, ink.writer, index=index)


def _ink_files(root: Path) -> list[Path]:
    from pipelines.media.ink import is_ink

    return [root] if root.is_file() else [path for path in walk(root) if is_ink(path)]


def _holds_ink(path: Path) -> bool:
    """By its head, so that a folder's other JSON lines (speech, captions) do not pass for ink."""
    try:
        with path.open("rb") as file:
            head = unzipped(file).read(65536)
    except (OSError, EOFError, zlib.error):
        return False
    return b'"strokes"' in head or b"<ink" in head or b":ink" in head


INK = (
    Layout(
        "ink", '*.jsonl or *.jsonl.gz with {"strokes", "label"}, or *.inkml', is_written_ink, read_written_ink
    ),
)
