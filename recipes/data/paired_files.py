"""Media files with a text file of the same name beside them: texts, or subtitles."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipelines.media.cues import read_cues
from recipes.data.folders import SPLITS, shown, split_above, walk
from recipes.data.layouts import AUDIO, Found
from recipes.data.manifest import Item, Rejected

TEXTS = (".txt", ".lab")
SUBTITLES = (".srt", ".vtt")

# Pairs: <name>.wav beside <name>.txt, in any depth; folders named train, dev, test ... are splits


def is_pairs(root: Path, endings: tuple[str, ...] = AUDIO, text_endings: tuple[str, ...] = TEXTS) -> bool:
    return bool(_by_stem(root, endings).keys() & _by_stem(root, text_endings).keys())


def read_pairs(root: Path, endings: tuple[str, ...] = AUDIO, text_endings: tuple[str, ...] = TEXTS) -> Found:
    for found in _paired(root, endings, text_endings):
        if isinstance(found, Rejected):
            yield found
        else:
            yield Item(found.media, found.text, found.split, found.group)


class _Pair(NamedTuple):
    """A media file and the text in the file beside it."""

    stem: Path
    media: Path
    place: Path
    text: str
    split: str | None
    group: str | None


def _paired(
    root: Path, endings: tuple[str, ...], text_endings: tuple[str, ...]
) -> Iterator[_Pair | Rejected]:
    media, texts = _by_stem(root, endings), _by_stem(root, text_endings)
    groups = {stem: "/".join(_without_splits(stem.relative_to(root).parent.parts)) or None for stem in media}
    several = len(set(groups.values())) > 1
    for stem in sorted(media.keys() | texts.keys()):
        for name, files in (("media", media.get(stem)), ("text", texts.get(stem))):
            for extra in files[1:] if files else ():
                yield Rejected(shown(extra, root), f"another {name} file of this name is used")
        if stem not in texts:
            yield Rejected(shown(media[stem][0], root), f"no text beside it ({' or '.join(text_endings)})")
            continue
        if stem not in media:
            yield Rejected(shown(texts[stem][0], root), f"no media file beside it ({' '.join(endings)})")
            continue
        try:
            text = texts[stem][0].read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            yield Rejected(shown(texts[stem][0], root), f"not UTF-8 (byte {error.start})")
            continue
        except OSError as error:
            cause = f"cannot be read ({error.strerror or error})"
            yield Rejected(shown(texts[stem][0], root), cause)
            continue
        group = groups[stem] if several else None
        yield _Pair(stem, media[stem][0], texts[stem][0], text, split_above(stem, root), group)


# Subtitles: <name>.wav beside <name>.srt or <name>.vtt, each cue of which is an item; else as pairs


def is_subtitled(root: Path) -> bool:
    return not is_pairs(root) and is_pairs(root, AUDIO, SUBTITLES)


def read_subtitled(root: Path) -> Found:
    for found in _paired(root, AUDIO, SUBTITLES):
        if isinstance(found, Rejected):
            yield found
            continue
        cues = read_cues(found.text)
        if not cues:
            yield Rejected(shown(found.place, root), "no subtitles that can be read: SubRip or WebVTT")
        group = found.group or found.stem.relative_to(root).as_posix()
        for cue in cues:
            yield Item(found.media, cue.text, found.split, group, cue.start, cue.end)


def _by_stem(root: Path, endings: tuple[str, ...]) -> dict[Path, list[Path]]:
    """Files with one of these extensions by their path without it (in NFC), the first extension first."""
    found: dict[Path, list[tuple[int, Path]]] = {}
    for path in walk(root):
        fitting = [ending for ending in endings if path.name.lower().endswith(ending)]
        if ending := max(fitting, key=len, default=None):  # .gt.txt before .txt
            stem = Path(unicodedata.normalize("NFC", str(path)[: -len(ending)]))
            found.setdefault(stem, []).append((endings.index(ending), path))
    return {stem: [path for _, path in sorted(paths)] for stem, paths in found.items()}


def _without_splits(folders: tuple[str, ...]) -> list[str]:
    return [folder for folder in folders if folder.lower() not in SPLITS]
