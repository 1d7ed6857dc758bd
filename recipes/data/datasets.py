"""Reads data sets in the common layouts as a `Manifest`; nothing is skipped silently."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.errors import DataError, TriscribeError
from pipelines.media.audio import open_audio
from pipelines.media.files import disk_errors
from pipelines.media.recording import SILENCE
from recipes.data.caption_layouts import CAPTIONS
from recipes.data.clip_layouts import CLIPS
from recipes.data.corrected import CORRECTED, UNITS, corrected
from recipes.data.downloads import fetch_an4, find_data
from recipes.data.folders import on_disk, shown, walk
from recipes.data.holding_out import hold_out
from recipes.data.languages import Languages
from recipes.data.layouts import Layout, find_media
from recipes.data.manifest import Item, Manifest, Rejected
from recipes.data.mark_layouts import layouts as mark_layouts
from recipes.data.pair_layouts import layouts as pair_layouts
from recipes.data.prose_layouts import PROSE
from recipes.data.signal_layouts import SIGNALS
from recipes.data.speech_layouts import SPEECH
from recipes.data.stay_layouts import layouts as stay_layouts
from recipes.data.tag_layouts import layouts as tag_layouts
from recipes.data.text_layouts import ANY, Columns
from recipes.data.text_layouts import layouts as text_layouts
from recipes.data.written_layouts import HANDWRITING, INK
from recipes.data.written_manifest import is_manifest, read_manifest

__all__ = [
    "Item",
    "Manifest",
    "Rejected",
    "fetch_an4",
    "find_data",
    "hold_out",
    "read_captions",
    "read_clips",
    "read_corrected",
    "read_handwriting",
    "read_ink",
    "read_pairs",
    "read_prose",
    "read_marked",
    "read_outcomes",
    "read_signals",
    "read_speech",
    "read_tags",
    "read_texts",
    "with_durations",
]

MANIFEST = Layout(
    "manifest", 'manifest.jsonl with "path" and "target", as training writes it', is_manifest, read_manifest
)

MOMENT = 0.01  # seconds in which parts of recordings are looked at for sound
BLOCK = 1000  # moments that are read at a time


def read_speech(root: str | Path, layout: str | None = None) -> Manifest:
    """Read a speech data set; its layout is detected.

    Recordings whose text is given and empty, such as noise, are items with an empty target: from them a model
    learns to write nothing. One without a text is rejected.

    Args:
        root: the data set's folder, or a JSONL manifest.
        layout: "sphinx", "pairs", "ljspeech", "common_voice", "table", "kaldi", "jsonl" or "librispeech",
            when the folder fits several.

    Raises:
        DataError: no such folder; none or several layouts fit; or not one item can be used.
    """
    return _read(Path(root), layout, SPEECH, wordless=True)


def read_handwriting(root: str | Path, layout: str | None = None) -> Manifest:
    """Read a data set of handwritten lines; its layout is detected.

    Args:
        root: the data set's folder, or a table.
        layout: "labels" (tables of paths and texts) or "images" (images with .gt.txt or .txt, PAGE XML or
            ALTO, all of which may be mixed), when the folder fits both.

    Raises:
        DataError: no such folder; none or both layouts fit; or not one item can be used.
    """
    return _read(Path(root), layout, HANDWRITING)


def read_ink(root: str | Path, layout: str | None = None) -> Manifest:
    """Read a data set of ink: JSON lines with strokes and label, or InkML.

    Args:
        root: the data set's folder, or one file.
        layout: "ink".

    Raises:
        DataError: no such folder; it holds no ink; or not one item can be used.
    """
    return _read(Path(root), layout, INK)


def read_clips(root: str | Path, layout: str | None = None) -> Manifest:
    """Read a data set of labelled clips, whose targets are the labels; its layout is detected.

    Args:
        root: the data set's folder.
        layout: one of labels, kinetics, ucf101, hmdb51, mmaction, folders, when several fit.

    Raises:
        DataError: no such folder; none or several layouts fit; or not one item can be used.
    """
    return _read(Path(root), layout, CLIPS)


def read_captions(root: str | Path, layout: str | None = None) -> Manifest:
    """Read a data set of images or videos with sentences, one item per sentence; its layout is detected.

    Args:
        root: the data set's folder.
        layout: one of captions, coco, karpathy, flickr8k, when several fit.

    Raises:
        DataError: no such folder; none or several layouts fit; or not one item can be used.
    """
    return _read(Path(root), layout, CAPTIONS)


def read_texts(root: str | Path, layout: str | None = None, columns: Columns = ANY) -> Manifest:
    """Read a data set of labelled texts, whose targets are the labels; its layout is detected.

    Where texts have several labels, all targets are sequences of labels, which may be empty.

    Args:
        root: the data set's folder, or one table.
        layout: one of table, fasttext, folders, when several fit.
        columns: of tables.

    Raises:
        DataError: no such folder; none or several layouts fit; or not one item can be used.
    """
    found = _read(Path(root), layout, text_layouts(columns), target=(str, tuple))
    if any(isinstance(item.target, tuple) for item in found.items):
        found.items = [
            item if isinstance(item.target, tuple) else replace(item, target=(item.target,))
            for item in found.items
        ]
    return found


def read_marked(root: str | Path, layout: str | None = None, aami: bool = True) -> Manifest:
    """Read a data set of signals with marks over time, which are the targets; see `mark_layouts`.

    Args:
        root: the data set's folder, or one file.
        layout: one of marks, wfdb, edf, when several fit.
        aami: whether beats have the five classes of AAMI EC57, instead of their symbols.

    Raises:
        DataError: no such folder; none or several layouts fit; or not one item can be used.
    """
    return _read(Path(root), layout, mark_layouts(aami), target=tuple)


def read_outcomes(root: str | Path, layout: str | None = None, label: str | None = None) -> Manifest:
    """Read a data set of stays with an outcome, "0" or "1", which is the target; see `stay_layouts`.

    Args:
        root: the data set's folder.
        layout: "stays".
        label: column of the outcome; None takes one with a usual name.

    Raises:
        DataError: no such folder; it holds no such tables; or not one stay can be used.
    """
    return _read(Path(root), layout, stay_layouts(label))


def read_signals(root: str | Path, layout: str | None = None) -> Manifest:
    """Read a data set of labelled signals, whose targets are the labels; its layout is detected.

    Args:
        root: the data set's folder, or one file of series or labels.
        layout: one of ts, labels, folders, when several fit.

    Raises:
        DataError: no such folder; none or several layouts fit; or not one item can be used.
    """
    return _read(Path(root), layout, SIGNALS)


def read_prose(root: str | Path, layout: str | None = None) -> Manifest:
    """Read plain texts, whose items are stretches of files.

    Args:
        root: a text file, or a folder of them.
        layout: "prose".

    Raises:
        DataError: no such folder; it holds no text files; or none can be read.
    """
    return _read(Path(root), layout, PROSE)


def read_corrected(root: str | Path, task: str) -> Manifest:
    """Read what people have checked in an output folder of triscribe; see `recipes.data.corrected`.

    Args:
        root: the output folder.
        task: whose results are meant.

    Raises:
        DataError: it is no output folder, or nothing in it is checked and can be used.
    """
    root = Path(root)
    found = corrected(root, task)
    items, rejected = _checked(found.checked, root, wordless=task == "speech")
    if not items:
        one, many = UNITS[task]
        if found.checked:
            reasons = "; ".join(f"{bad.path}: {bad.reason}" for bad in rejected[:3])
            raise DataError(root, f"no usable {one} that was checked ({reasons})", "mend these first")
        cause = (
            f"none of its {len(found.unchecked)} {many} is checked" if found.unchecked else f"holds no {many}"
        )
        way_out = "correct some first (triscribe correct), or give the --layout of other data that lies there"
        raise DataError(root, cause, way_out)
    return Manifest(items, rejected, CORRECTED, root, found.unchecked)


def read_tags(root: str | Path, layout: str | None = None, column: str | None = None) -> Manifest:
    """Read a data set of sentences whose tokens have labels, which are the targets.

    Args:
        root: the data set's folder, or one file.
        layout: "conll".
        column: of the labels, see `read_sentences`.

    Raises:
        DataError: no such folder; it holds no such files; or not one sentence can be used.
    """
    return _read(Path(root), layout, tag_layouts(column), target=tuple)


def read_pairs(
    root: str | Path,
    layout: str | None = None,
    languages: Languages | None = None,
    partner: Path | None = None,
) -> Manifest:
    """Read a data set of texts with their translations, which are the targets; its layout is detected.

    Args:
        root: the data set's folder, a table, a translation memory, or a file of texts.
        layout: one of parallel, table, tmx, when several fit.
        languages: of texts and translations, where the data set has several.
        partner: the file of the translations, line by line, of a file of texts.

    Raises:
        DataError: no such folder; none or several layouts fit; the languages cannot be told; or not one item
            can be used.
    """
    return _read(Path(root), layout, pair_layouts(languages or Languages(), partner))


def with_durations(
    items: Sequence[Item],
    watched: Callable[[Sequence[Item]], Iterable[Item]] = iter,
    min_seconds: float = 0.1,
    max_seconds: float = 60.0,
) -> tuple[list[Item], list[Rejected]]:
    """Read the recordings of all items, each once, exactly as `transcribe` does.

    Lengths are those that decoding gives: what headers and data sets claim is not trusted. Damaged and silent
    recordings are rejected, and so are silent parts of others that have a text.

    Args:
        items: items with audio.
        watched: gives the same items one by one, for instance while it shows how many there are.
        min_seconds, max_seconds: items outside are rejected.

    Returns:
        The items with `duration` and, for parts, `end` filled in, both in seconds; and the rejected items.
    """
    kept: list[Item] = []
    rejected: list[Rejected] = []
    heard: dict[Path, Heard | str] = {}
    for item in watched(items):
        if item.path not in heard:
            heard[item.path] = _heard(item.path)
        found = heard[item.path]
        measured = found if isinstance(found, str) else _measured(item, found, min_seconds, max_seconds)
        if isinstance(measured, str):
            rejected.append(Rejected(_named(item), measured))
        else:
            kept.append(measured)
    return kept, rejected


def _named(item: Item) -> str:
    """The path of an item, and where it is a part of a recording, its times."""
    if item.start is None and item.end is None:
        return str(item.path)
    end = "its end" if item.end is None else f"{item.end:.2f} s"
    return f"{item.path} ({item.start or 0.0:.2f} s to {end})"


class Heard(NamedTuple):
    """What a recording holds.

    Attributes:
        seconds: its length.
        peaks: (moments,) the largest amplitude in each.
        moment: seconds of one.
    """

    seconds: float
    peaks: np.ndarray
    moment: float

    def is_silent(self, start: float, end: float) -> bool:
        part = self.peaks[int(start / self.moment) : math.ceil(end / self.moment)]
        return part.max(initial=0.0) < SILENCE


def _heard(path: Path) -> Heard | str:
    """The recording, or why it cannot be used."""
    try:
        with disk_errors(path):
            audio = open_audio(path)
            moment, peaks = round(MOMENT * audio.sample_rate), []
            for block in audio.blocks(BLOCK * moment / audio.sample_rate):
                padded = np.pad(block, (0, -len(block) % moment))
                peaks.append(np.abs(padded).reshape(-1, moment).max(axis=1))
        return Heard(audio.duration, np.concatenate(peaks), moment / audio.sample_rate)
    except TriscribeError as error:
        return error.cause


def _measured(item: Item, heard: Heard, min_seconds: float, max_seconds: float) -> Item | str:
    """The item with its duration, or why it cannot be used. Parts may end up to 0.1 s late, by rounding."""
    total = heard.seconds
    if item.start is not None or item.end is not None:
        start, end = item.start or 0.0, total if item.end is None else item.end
        if start >= total or end > total + 0.1:
            return f"from {start:.2f} to {end:.2f} s, but its file is {total:.2f} s long"
        item = replace(item, end=min(end, total))
        total = item.end - start
        if item.target and heard.is_silent(start, item.end):
            return f"silent for all of its {total:.2f} s"
    if total < min_seconds:
        return f"{total:.2f} s long, shorter than {min_seconds:g} s"
    if total > max_seconds:
        return f"{total:.1f} s long, longer than {max_seconds:g} s"
    return replace(item, duration=total)


def _read(
    root: Path,
    name: str | None,
    layouts: tuple[Layout, ...],
    wordless: bool = False,
    target: type | tuple[type, ...] = str,
) -> Manifest:
    layouts = (*layouts, MANIFEST)
    names = ", ".join(layout.name for layout in layouts)
    if not root.exists():
        raise DataError(root, "no such file or folder", "give the folder that holds the data set")
    if name is not None and name not in names.split(", "):
        raise DataError(root, f"unknown layout {name!r}", f"choose one of {names}")
    fitting = [MANIFEST] if is_manifest(root) else [each for each in layouts if each.matches(root)]
    chosen = [layout for layout in (layouts if name else fitting) if name in (None, layout.name)]
    if len(chosen) > 1:
        found = " and ".join(f"{layout.name} ({layout.sign})" for layout in chosen)
        raise DataError(root, f"several layouts fit: {found}", f"choose with layout={chosen[0].name!r}")
    if not chosen or chosen[0] not in fitting:
        looked = "; ".join(layout.sign for layout in chosen or layouts)
        way_out = "arrange the files in one of these ways, or give the folder that holds them"
        raise DataError(
            root, f"no data set recognised; looked for {looked}; found {_contents(root)}", way_out
        )
    items, rejected = _checked(chosen[0].read(root), root, wordless, target)
    if not items:
        told = {bad.reason: bad for bad in reversed(rejected)}  # the first for each reason
        reasons = "; ".join(f"{bad.path}: {bad.reason}" for bad in [*told.values()][::-1][:3])
        reasons = reasons or "it lists nothing"
        cause = f"no usable item in this {chosen[0].name} data set ({reasons})"
        raise DataError(root, cause, "mend these first")
    return Manifest(items, rejected, chosen[0].name, root)


def _checked(
    found: Iterable[Item | Rejected],
    root: Path,
    wordless: bool = False,
    target: type | tuple[type, ...] = str,
) -> tuple[list[Item], list[Rejected]]:
    """Reject items that cannot be used, with the reason; of repeated items, the first is kept.

    A list of all items may stand beside those of the splits: an item is of the split that any list names.

    Args:
        wordless: whether an empty text is one.
        target: type of the targets, or types: a text, a sequence of labels.
    """
    items: list[Item] = []
    rejected: list[Rejected] = []
    seen: dict[tuple, Item] = {}
    kept: dict[tuple, int] = {}  # where they are in the list
    for item in found:
        if isinstance(item, Rejected):
            rejected.append(item)
            continue
        if not isinstance(item.target, target):
            forms = {str: "a text", tuple: "a list"}
            cause = f"its target is {forms[type(item.target)]}, not {forms[target]}"
            rejected.append(Rejected(shown(item.path, root), cause))
            continue
        item = replace(item, path=on_disk(Path(os.path.normpath(item.path))))
        if isinstance(item.target, str):
            item = replace(item, target=" ".join(item.target.split()))
        place = _place(item)
        first = seen.setdefault(place, item)
        if first.split is None and item.split and place in kept:
            first = seen[place] = items[kept[place]] = replace(first, split=item.split)
        unlabelled = item.target == () and target == (str, tuple)  # of none of the classes
        if reason := _fault(item, wordless or unlabelled) or (
            _repeated(item, first) if first is not item else None
        ):
            rejected.append(Rejected(shown(item.path, root), reason))
        else:
            kept[place] = len(items)
            items.append(item)
    return items, rejected


def _place(item: Item) -> tuple:
    return item.path, item.start, item.end, item.shape, item.index, item.view


def _fault(item: Item, wordless: bool) -> str | None:
    try:
        if os.path.isdir(item.path):  # of frames
            if not any(item.path.iterdir()):
                return "empty folder"
        elif not os.path.isfile(item.path):
            other = find_media(item.path, (".sph", ".raw"))
            return (
                "no such file"
                if other == item.path
                else f"{other.suffix} is not read; convert it to .wav or .flac"
            )
        elif item.path.stat().st_size == 0:
            return "empty file (0 bytes)"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if not item.target and not wordless:
        return "empty text"
    if item.start is not None and item.start < 0:
        return f"starts before its file, at {item.start} s"
    if item.end is not None and item.end <= (item.start or 0.0):
        return f"ends at {item.end} s, not after its start"
    return None


def _repeated(item: Item, first: Item) -> str:
    text = "the same text" if item.target == first.target else "another text"
    return f"listed twice, with {text}" + (f"; kept in {first.split}" if item.split != first.split else "")


def _contents(root: Path) -> str:
    """A clause that describes the contents of a folder: file extensions with counts."""
    if root.is_file():
        return "a single file"
    files = [path for path in walk(root) if os.path.isfile(path)]
    endings = Counter(path.suffix or path.name for path in files).most_common(6)
    return ", ".join(f"{count} {ending}" for ending, count in endings) or "an empty folder"
