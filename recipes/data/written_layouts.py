"""Layouts of handwriting: images of lines, pages with layout files, and ink. See `layouts.py`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipelines.errors import MediaError
from pipelines.layout.fitting import fitted
from pipelines.layout.given import is_layout, read_layout
from pipelines.layout.lines import line_distance
from pipelines.layout.page_layout import PageLayout
from pipelines.media.files import disk_errors
from pipelines.media.images import orientation
from pipelines.media.kind import INK as INK_FILE
from pipelines.media.kind import kind_or_name, named_kind
from recipes.data.folders import Files, first_line, shown, split_above, split_in, split_named, tabbed, walk
from recipes.data.layouts import Found, Layout, find_media
from recipes.data.line_lists import is_listed, read_listed
from recipes.data.manifest import Item, Rejected
from recipes.data.paired_files import is_pairs, read_pairs
from recipes.data.tables import Table, split_of, tables_in

PLAIN_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
IMAGES = (*PLAIN_IMAGES, ".nrm.png", ".bin.png")  # OCRopus and Calamari: flattened, binarised
LINE_TEXTS = (".gt.txt", ".txt")
COLUMNS = {
    "path": (
        "image", "image_path", "image_name", "img", "img_path", "file", "filename", "file_name", "filepath",
        "file_path", "name",
    ),
    "text": (
        "transcription", "transcript", "label", "sentence", "ground_truth", "gt", "target", "identity",
        "content", "caption",
    ),
    "split": ("set", "subset", "partition"),
    "writer": ("writer_id", "author", "hand", "group"),
}  # fmt: skip


# labels.tsv: path, text and perhaps split; with a header the columns are found by these names. Any other
# table whose first line names the columns


def is_labels(root: Path) -> bool:
    return _is_plain(_labels(root)) or bool(_named_tables(root))


def read_labels(root: Path) -> Found:
    table = _labels(root)
    if not _is_plain(table):
        yield from _read_named(root)
        return
    for row in tabbed(table, ["path", "text", "split"], needed=2):
        if isinstance(row, Rejected):
            yield row
        else:
            path, split = table.parent / row["path"], split_named(row.get("split"))
            yield Item(path, row["text"], split, row.get("writer") or None)


def _is_plain(table: Path) -> bool:
    """Whether a table has tabs, and a first line that names just these columns or none."""
    cells = first_line(table).lower().split("\t")
    return len(cells) > 1 and ({"path", "text"} <= set(cells) or not _named_tables(table))


def _read_named(root: Path) -> Found:
    folder = root.parent if root.is_file() else root
    files = Files(folder, PLAIN_IMAGES)
    for table in _named_tables(root):
        for where, row in table.rows(folder):
            if isinstance(row, Rejected):
                yield row
            elif row.get("split") and split_named(row["split"]) is None:
                yield Rejected(where, f"unknown split {row['split']!r}")
            else:
                path = files.place(row["path"], table.path.parent)
                split = split_of(row, table.path, path, folder)
                yield Item(path, row["text"], split, row.get("writer") or None)


def _named_tables(root: Path) -> list[Table]:
    return tables_in(root, COLUMNS, "path", "text")


def _labels(root: Path) -> Path:
    return root if root.suffix == ".tsv" else root / "labels.tsv"


# Images: of lines, with .gt.txt or .txt beside them; of pages, with PAGE XML or ALTO; or both in one tree


def is_images(root: Path) -> bool:
    pages = (path for path in walk(root) if path.suffix.lower() == ".xml")
    return any(map(_is_layout, pages)) or is_pairs(root, IMAGES, LINE_TEXTS)


def read_images(root: Path) -> Found:
    """Read line images and pages; the image of a page is not a line, even with a text file beside it.

    If several files give the lines of one image (Transkribus exports both PAGE and ALTO), one with baselines
    is preferred, then PAGE.
    """
    layouts: dict[Path, list[tuple[Path, PageLayout]]] = {}
    not_lines = set()
    for file in walk(root):
        if file.suffix.lower() != ".xml":
            continue
        not_lines.add(file.with_suffix(""))
        try:
            with disk_errors(file):
                layout = read_layout(file)
        except MediaError as error:
            yield Rejected(shown(file, root), error.cause)
            continue
        image = _page_image(file, layout.image, root)
        not_lines.add(image.with_suffix(""))
        layouts.setdefault(image, []).append((file, layout))
    for image, candidates in layouts.items():
        (file, layout), *others = sorted(candidates, key=lambda each: not each[1].has_baselines)
        for other, _ in others:
            yield Rejected(shown(other, root), f"the image's lines are taken from {shown(file, root)}")
        yield from _page_lines(file, image, layout, root)
    for found in read_pairs(root, IMAGES, LINE_TEXTS):
        path = found.path if isinstance(found, Item) else root / found.path
        if path.with_suffix("") not in not_lines:
            yield found


def _is_layout(file: Path) -> bool:
    try:
        return is_layout(file)
    except OSError:
        return True  # a dangling link or an unreadable file; reading it reports the error


def _page_lines(file: Path, image: Path, layout: PageLayout, root: Path) -> Found:
    for bad in layout.skipped:
        yield Rejected(f"{shown(file, root)} ({bad.name})", bad.cause)
    try:
        layout = fitted(layout, *_sizes(image))
    except OSError:
        pass  # unreadable images are reported later, for all items
    except ValueError as error:
        yield Rejected(shown(file, root), str(error))
        return
    lines = layout.lines
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


def _page_image(file: Path, name: str, root: Path) -> Path:
    """Find the image of a layout file.

    The path in the file is relative to its own folder or one above, up to that of the data set (in OCR-D, the
    folder of mets.xml). Otherwise the file name alone, or that of the layout file, is searched beside it and
    one folder above.
    """
    own = re.sub(r"\.(page|alto)$", "", file.stem)
    stated = name.replace("\\", "/")
    above = [folder for folder in file.parents if folder == root or folder.is_relative_to(root)]
    candidates = [folder / stated for folder in above or [file.parent] if stated and ":" not in stated]
    names = [stated.rpartition("/")[2], file.stem, own]
    folders = (file.parent, file.parent.parent)
    candidates += [folder / name for name in names if name for folder in folders]
    found = [find_media(Path(os.path.normpath(path)), PLAIN_IMAGES) for path in candidates]
    return next((path for path in found if os.path.isfile(path)), file.parent / (names[0] or own))


def _sizes(image: Path) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Width and height of the upright and of the stored image, and its EXIF orientation.

    Raises:
        OSError: the image cannot be opened.
    """
    from PIL import Image

    try:
        with Image.open(image) as opened:
            stored, turn = opened.size, orientation(opened)
    except Image.DecompressionBombError as error:
        raise OSError(str(error)) from error
    return (stored[::-1] if turn > 4 else stored), stored, turn


# Lists of images and texts without a header


def is_lists(root: Path) -> bool:
    return not is_labels(root) and not is_images(root) and is_listed(root, PLAIN_IMAGES)


def read_lists(root: Path) -> Found:
    return read_listed(root, PLAIN_IMAGES)


HANDWRITING = (
    Layout(
        "labels",
        "labels.tsv with path, text and perhaps split, or another table that names these columns",
        is_labels,
        read_labels,
    ),
    Layout(
        "images",
        "images with a .gt.txt or .txt of the same name beside them, or PAGE XML or ALTO files with images",
        is_images,
        read_images,
    ),
    Layout(
        "lists",
        "a .txt with an image and its text on each line: IAM's lines.txt, PyLaia's lists",
        is_lists,
        read_lists,
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
            with disk_errors(file):
                pieces = read_ink(file)
        except MediaError as error:
            yield Rejected(error.path.removeprefix(f"{folder}{os.sep}"), error.cause)
            continue
        split = split_in(file.name) or split_above(file, folder)
        for index, ink in enumerate(pieces):
            if ink.fault:
                yield Rejected(f"{shown(file, folder)}:{ink.number}", ink.fault.cause)
            elif ink.label is None:
                yield Rejected(f"{shown(file, folder)}:{ink.number}", "no label")
            elif ink.notes:  # a label without all of its strokes teaches what is wrong
                yield Rejected(f"{shown(file, folder)}:{ink.number}", ink.notes[0])
            else:
                yield Item(file, ink.label, split, ink.writer, index=index)


def _ink_files(root: Path) -> list[Path]:
    return [root] if root.is_file() else [path for path in walk(root) if named_kind(path) == INK_FILE]


def _holds_ink(path: Path) -> bool:
    """Whether a file is ink, by its content, as JSON lines may also be of speech or captions."""
    kind = kind_or_name(path)
    return kind.name == INK_FILE and not kind.ruined


INK = (
    Layout(
        "ink", '*.jsonl or *.jsonl.gz with {"strokes", "label"}, or *.inkml', is_written_ink, read_written_ink
    ),
)
