"""Files at addresses such as `s3://bucket/talks/a.wav`, read through fsspec.

As a path, such an address has one slash after its colon, as `pathlib` writes it; both are understood. A file
is copied to a temporary one when it is opened, since readers go back and forth in it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from pipelines.errors import MediaError

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # of more than one letter: not a drive of Windows
LOCAL = ("file", "local")
HEAD = 65_536  # bytes that are fetched at once to see what a file is
CHANGED = ("mtime", "LastModified", "last_modified", "updated", "created")
UNIQUE = ("ETag", "etag", "md5Hash", "checksum")


def is_remote(path: object) -> bool:
    """Whether a path is an address for fsspec; `file://` is none, see `as_path`."""
    return isinstance(path, (str, os.PathLike)) and SCHEME.match(os.fspath(path)) is not None


def as_path(given: str | os.PathLike) -> Path:
    """A path from what a user names; `file://` addresses are paths of this machine."""
    text = os.fspath(given)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    return Path(text)


def address_of(path: str | os.PathLike) -> str:
    """The address that a path stands for."""
    scheme, rest = SCHEME.match(os.fspath(path))[1], SCHEME.sub("", os.fspath(path), count=1).lstrip("/")
    return f"{scheme}://{'/' if scheme in LOCAL else ''}{rest}"


def shown(path: str | os.PathLike) -> str:
    """A path as users write it."""
    return address_of(path) if is_remote(path) else os.fspath(path)


def found_at(given: str | os.PathLike) -> list[Path]:
    """Files at an address, below it if it is a folder (hidden ones left out), or that fit a pattern.

    Raises:
        MediaError: there is none, or the address cannot be read.
    """
    address = address_of(given)
    with _errors(address):
        system, place = _system(address)
        facts: dict[str, dict] = {}
        whole = [place]
        if any(sign in place for sign in "*?[") and not system.exists(place):
            whole = system.glob(place)
        for each in whole:
            known = system.find(each, detail=True) if system.isdir(each) else {}
            hidden = len(each.rstrip("/"))
            facts |= {name: about for name, about in known.items() if "/." not in name[hidden:]}
            if not known and system.isfile(each):
                facts[each] = system.info(each)
    if not facts:
        raise MediaError(address, "no such file or folder", "check the address")
    scheme = address.partition(":")[0]
    paths = []
    for name, about in sorted(facts.items()):
        path = Path(f"{scheme}:/{name.lstrip('/')}")
        _states[path] = _state(about)
        paths.append(path)
    return paths


def is_folder(given: str | os.PathLike) -> bool:
    """Whether an address is a folder.

    Raises:
        MediaError: it cannot be read.
    """
    with _errors(address_of(given)):
        system, place = _system(address_of(given))
        return system.isdir(place)


def state_at(path: Path) -> list[int] | None:
    """Size, and a number that changes with the content, when the file was found; None if gone."""
    if path not in _states:
        try:
            with _errors(address_of(path)):
                system, place = _system(address_of(path))
                _states[path] = _state(system.info(place))
        except MediaError:
            return None
    return _states[path]


def opened(source: object) -> object:
    """A source to read from: of a remote file a temporary copy, which has its name; anything else as it is.

    Raises:
        MediaError: it cannot be fetched.
    """
    if not is_remote(source):
        return source
    address = address_of(source)
    with _errors(address), tempfile.TemporaryFile() as file:
        system, place = _system(address)
        with system.open(place, "rb") as remote:
            shutil.copyfileobj(remote, file, 1 << 20)
        file.flush()
        copy = _Copy(io.FileIO(os.dup(file.fileno()), "r+"), address)
        copy.seek(0)
    return copy


@contextmanager
def peeked(path: str | os.PathLike) -> Iterator[object]:
    """A remote file of which only what is read is fetched.

    Raises:
        MediaError: it cannot be read.
    """
    address = address_of(path)
    with _errors(address):
        system, place = _system(address)
        with system.open(place, "rb", block_size=HEAD) as remote:
            yield _Named(remote, address)


class _Copy(io.BufferedRandom):
    def __init__(self, raw: io.FileIO, name: str):
        super().__init__(raw)
        self._address = name

    @property
    def name(self) -> str:
        return self._address


class _Named:
    """A binary file under another name."""

    def __init__(self, file: object, name: str):
        self._file, self.name = file, name

    def __getattr__(self, name: str):
        return getattr(self._file, name)


_states: dict[Path, list[int]] = {}


def _state(about: dict) -> list[int]:
    for name in CHANGED:
        value = about.get(name)
        if isinstance(value, datetime):
            return [about["size"], int(value.timestamp() * 1e9)]
        if isinstance(value, (int, float)):
            return [about["size"], int(value * 1e9)]
    unique = next((str(about[name]) for name in UNIQUE if about.get(name)), "")
    return [about["size"], crc32(unique.encode("utf-8"))]


@lru_cache(maxsize=8)
def _named(scheme: str):
    import fsspec

    return fsspec.filesystem(scheme)


def _system(address: str) -> tuple:
    """The file system of an address, and the place in it."""
    system = _named(address.partition(":")[0])
    return system, system._strip_protocol(address)


@contextmanager
def _errors(address: str) -> Iterator[None]:
    """Within it, errors of fsspec and of what it uses are MediaErrors about an address."""
    try:
        yield
    except MediaError:
        raise
    except FileNotFoundError as error:
        raise MediaError(address, "does not exist", "check the address") from error
    except ImportError as error:
        name = "fsspec" if "fsspec" in str(error) and "Install" not in str(error) else str(error)
        way = "pip install fsspec, and what reads such addresses: s3fs for s3://, gcsfs for gs://"
        raise MediaError(address, f"needs a package that is missing ({name})", way) from error
    except Exception as error:  # each file system has its own
        cause = f"cannot be read ({type(error).__name__}: {error})"
        raise MediaError(address, cause, "check the address, the network and the access rights") from error
