"""Which files of folders are read, and where their outputs go."""

from __future__ import annotations

import glob
import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from pipelines.errors import MediaError
from pipelines.media import remote
from pipelines.media.files import not_there
from pipelines.results import Transcript
from pipelines.tasks import formats as formats_of

LONGEST = 255  # bytes of a file name


@dataclass(frozen=True)
class Job:
    """One input, or a part of it such as a page, and the files that it becomes.

    Attributes:
        name: of the outputs without their endings.
        whole: name, likewise, of what the outputs of all parts of the source are joined to.
    """

    source: Path
    outputs: tuple[Path, ...]
    part: int | None = None
    name: Path | None = None
    whole: Path | None = None

    def joined(self, ending: str) -> Path:
        """The file of the whole source."""
        return _ended(self.whole, ending)

    def ending(self, endings: Iterable[str]) -> Job:
        """The same with other outputs, which differ in their endings."""
        return replace(self, outputs=tuple(_ended(self.name, ending) for ending in endings))


Missed = dict[Path, OSError | None]
"""Folders that were not looked into, with the error; None for a link to a folder, which is not followed."""


def collect(
    inputs: Iterable[str | Path],
    is_media: Callable[[Path], bool],
    missed: Missed | None = None,
    is_whole: Callable[[Path], bool] = lambda folder: False,
) -> list[Path]:
    """Every input file, in order and once, however often and by whatever spelling it is named.

    Folders are walked (hidden files and folders left out) and only what `is_media` accepts is
    taken from them; patterns such as `talks/*.mp3` are expanded here, so that they work in every
    shell; a file that is named is always taken.

    Args:
        inputs: files, folders and patterns.
        is_media: of a file in a folder.
        missed: is filled.
        is_whole: whether a folder is one input, such as the frames of a video.

    Raises:
        MediaError: for an input that does not exist, a pattern that matches nothing, or a folder
            without media.
    """
    found: dict[Path, Path] = {}
    for given in inputs:
        if not str(given).strip():
            raise MediaError(repr(str(given)), "is no name", "name a file, folder or pattern")
        path = _named(given)
        if remote.is_remote(path):
            named = [each for each in remote.found_at(path) if each == path or is_media(each)]
            if not named:
                raise MediaError(remote.address_of(path), "holds no media that can be read", "name another")
        elif path.is_dir():
            named = [each for each in _walk(path, missed, is_whole) if is_media(each)]
            if not named:
                raise MediaError(path, "holds no media that can be read", "name a folder that holds some")
        elif path.exists():
            named = [path]
        else:
            matches = _matches(str(given))
            if not matches:
                error = not_there(path)
                if error.cause == "does not exist":
                    raise MediaError(path, "no such file or folder", "check the name")
                raise error
            named = []
            for match in matches:
                named += filter(is_media, _walk(match, missed, is_whole)) if match.is_dir() else [match]
        for each in named:
            found.setdefault(_place(each), each)
    return list(found.values())


def _named(given: str | Path) -> Path:
    """The path that an input names; - is standard input."""
    return Path("/dev/stdin") if str(given) == "-" else remote.as_path(given)


def _matches(pattern: str) -> list[Path]:
    """Files and folders that a pattern names; brackets stand for themselves where nothing else fits."""
    found = glob.glob(pattern, recursive=True) or glob.glob(pattern.replace("[", "[[]"), recursive=True)
    return sorted(map(Path, found))


def plan(
    sources: list[Path],
    inputs: Iterable[str | Path],
    out: Path,
    formats: list[str],
    kind: type = Transcript,
    parts: Mapping[Path, Sequence[int]] | None = None,
) -> list[Job]:
    """Give each source its outputs in formats for one type of result; see `plan_tree`.

    Args:
        formats: names of writers.
        kind: type of the results.
    """
    endings = endings_of(kind, formats)
    return plan_tree(sources, inputs, out, lambda source: endings, parts)


def plan_tree(
    sources: list[Path],
    inputs: Iterable[str | Path],
    out: Path,
    endings: Callable[[Path], Sequence[str]],
    parts: Mapping[Path, Sequence[int]] | None = None,
    known: Mapping[tuple[str, int | None], str] = MappingProxyType({}),
    joined: Collection[str] = (),
) -> list[Job]:
    """Give each source its outputs: the tree below the inputs' common folder, mirrored under `out`.

    A source of several parts has a folder of its name, with numbered files. Two sources never share
    an output, not even on a disk that takes `X` and `x` for one name: where names would meet
    (`x.wav` and `x.mp3`), the outputs keep the whole name of their source (`x.mp3.srt`), and where
    these meet too (`X.wav` and `x.wav`), later ones are numbered.

    Args:
        sources: from `collect`.
        inputs: what the user named.
        out: folder of the outputs.
        endings: of the outputs that a source may have.
        parts: numbers of a source's parts, where it has any.
        known: names that earlier runs gave to absolute source and part, relative to `out`; these stay.
        joined: endings of outputs of which those of all parts are joined to one more.
    """
    roots = [_folder_of(absolute(path)) for path in map(_named, inputs) if path not in sources]
    roots += [_folder_of(absolute(path), whole=True) for path in sources]
    root = Path(os.path.commonpath(roots))
    planned, relative, given = [], [], []
    names = {source: _rooted(absolute(source)).relative_to(root) for source in sources}
    documents = [names[source] for source in sources if (parts or {}).get(source)]
    wholes = _wholes(documents, out, joined, {os.path.realpath(source) for source in sources})
    for source in sources:
        place, name = absolute(source), names[source]
        numbers = (parts or {}).get(source) or [None]
        planned += [(source, number) for number in numbers]
        relative += [name.with_suffix("") / f"{n:04}{name.suffix}" if n else name for n in numbers]
        given += [known.get((str(place), number)) for number in numbers]
    taken = {_folded(_ended(name, ending)) for name in wholes.values() for ending in joined}
    found = _names(relative, [endings(source) for source, _ in planned], given, taken)
    return [
        Job(
            source,
            tuple(_ended(out / name, each) for each in endings(source)),
            number,
            out / name,
            out / wholes[names[source]] if number else None,
        )
        for (source, number), name in zip(planned, found, strict=True)
    ]


def endings_of(kind: type, formats: Iterable[str]) -> list[str]:
    """Endings of the files of formats for a type of result."""
    return [formats_of(kind)[chosen].extension for chosen in formats]


def _ended(path: Path, ending: str) -> Path:
    """The path with one more ending; a name that file systems refuse is cut and told apart by a digest."""
    name = f"{path.name}.{ending}"
    whole = os.fsencode(name)
    if len(whole) > LONGEST:
        digest = f"~{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}.{ending}"
        name = whole[: LONGEST - len(digest)].decode("utf-8", "ignore") + digest
    return path.with_name(name)


def _wholes(
    paths: list[Path], out: Path, endings: Collection[str], sources: Collection[str]
) -> dict[Path, Path]:
    """What to name the whole of each source of several parts, without its ending.

    It is the name of its folder, if that is of this source alone, and no source would be written over.
    """
    wanted = Counter(_folded(path.with_suffix("")) for path in paths)
    wholes = {}
    for path in paths:
        short = path.with_suffix("")
        chosen, number = (short if wanted[_folded(short)] == 1 else path), 0
        while any(os.path.realpath(_ended(out / chosen, ending)) in sources for ending in endings):
            number += 1
            chosen = path if number == 1 else _ended(path, str(number))
        wholes[path] = chosen
    return wholes


def _names(
    paths: list[Path],
    endings: Sequence[Sequence[str]],
    given: Sequence[str | None] = (),
    taken: Collection[str] = (),
) -> list[Path]:
    """What to name the outputs of each path, without their ending; no two outputs are alike.

    Args:
        endings: of the outputs of each path.
        given: a name that a path has already.
        taken: outputs that there are besides, folded.
    """
    wanted = Counter(name for path in paths for name in {_folded(path), _folded(path.with_suffix(""))})
    used = set(taken)

    def outputs(name: Path, place: int) -> set[str]:
        return {_folded(_ended(name, ending)) for ending in endings[place]}

    for place, name in enumerate(given):
        if name is not None:
            used |= outputs(Path(name), place)
    names = []
    for place, path in enumerate(paths):
        if given and given[place] is not None:
            names.append(Path(given[place]))
            continue
        short = path.with_suffix("")
        chosen = whole = short if wanted[_folded(short)] == 1 else path
        number = 1
        while not used.isdisjoint(outputs(chosen, place)):
            number += 1
            chosen = _ended(whole, str(number))
        used |= outputs(chosen, place)
        names.append(chosen)
    return names


def absolute(path: str | Path) -> Path:
    return Path(path) if remote.is_remote(path) else Path(os.path.abspath(path))


def _folder_of(place: Path, whole: bool = False) -> Path:
    """A folder itself, or the one that a file is in, or a folder that is a source as a whole; of an address
    one that can be compared with others.
    """
    if not remote.is_remote(place):
        return place if place.is_dir() and not whole else place.parent
    magic = next((each for each in (place, *place.parents) if not glob.has_magic(str(each))), place)
    return _rooted(magic if magic != place or remote.is_folder(place) else place.parent)


def _rooted(place: Path) -> Path:
    return Path("/", place)


def _place(path: Path) -> Path:
    """The same for all spellings of a path; a link is a place of its own."""
    if remote.is_remote(path):
        return path
    return Path(os.path.realpath(path.parent), path.name)


def _folded(path: Path) -> str:
    """The same for all names that some file system takes for one."""
    return unicodedata.normalize("NFC", str(path)).lower()


def _walk(
    folder: Path, missed: Missed | None = None, is_whole: Callable[[Path], bool] = lambda folder: False
) -> Iterator[Path]:
    """The files of a folder in order; the samples of a WFDB record are read by its header.

    A folder that is one input stands for its files.
    """
    missed = {} if missed is None else missed

    def note(error: OSError) -> None:
        missed[Path(error.filename)] = error

    for parent, folders, files in os.walk(folder, onerror=note):
        if is_whole(Path(parent)):
            yield Path(parent)
            files.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        missed |= {path: None for name in folders if (path := Path(parent, name)).is_symlink()}
        records = {f"{name.removesuffix('.hea')}.dat" for name in files if name.endswith(".hea")}
        for name in sorted(files):
            if not name.startswith(".") and name not in records:
                yield Path(parent) / name
