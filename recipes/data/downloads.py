"""Finds named data sets: in a given folder, in $TRISCRIBE_DATA, in the cache, or at their public home."""

from __future__ import annotations

import http.client
import os
import shutil
import stat
import tempfile
import urllib.request
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pipelines.errors import DataError

AN4_HOME = "https://github.com/cmusphinx/an4"
AN4_ZIP = f"{AN4_HOME}/archive/refs/heads/master.zip"
LARGEST = 1 << 30  # bytes; AN4 is far smaller


def find_data(data: str | Path | None, name: str) -> Path:
    """The folder of a data set; "an4" is downloaded if it is not found.

    Args:
        data: the folder given by the user, which is returned if it exists.
        name: name of the data set below $TRISCRIBE_DATA and in the cache.

    Raises:
        DataError: the folder does not exist, or the data set is not found and cannot be downloaded.
    """
    if data is not None:
        if not Path(data).exists():
            raise DataError(data, "no such file or folder", "give the folder that holds the data set")
        return Path(data)
    places = [cache_folder() / name]
    if base := os.environ.get("TRISCRIBE_DATA"):
        places.insert(0, Path(base) / name)
    for place in places:
        if place.is_dir():
            return place
    if name == "an4":
        return fetch_an4()
    looked = " and ".join(map(str, places))
    raise DataError(name, f"not found in {looked}", "give its folder with --data, or set TRISCRIBE_DATA")


def cache_folder() -> Path:
    """The cache folder: $XDG_CACHE_HOME/triscribe, or ~/.cache/triscribe."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "triscribe"


def fetch_an4(folder: str | Path | None = None) -> Path:
    """Download AN4 (English letters, numbers and commands; licence inside) into `folder`/an4.

    Args:
        folder: destination; the cache folder if None. An existing `an4` is not touched.

    Returns:
        The folder of the data set, which appears complete or not at all.

    Raises:
        DataError: there is no connection or no space, or the archive is damaged or unsafe.
    """
    folder = cache_folder() if folder is None else Path(folder)
    target = folder / "an4"
    if target.is_dir():
        return target
    way_out = f"run `git clone {AN4_HOME}` where there is a connection and give that folder with --data"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".an4-", dir=folder) as scratch:
            archive = Path(scratch, "an4.zip")
            with urllib.request.urlopen(AN4_ZIP, timeout=60) as answer, archive.open("wb") as file:
                shutil.copyfileobj(answer, file)
            unzip(archive, Path(scratch, "files"))
            tops = list(Path(scratch, "files").iterdir())
            if len(tops) != 1 or not (tops[0] / "etc").is_dir():
                raise DataError(AN4_ZIP, "the archive does not hold AN4", way_out)
            try:
                tops[0].rename(target)
            except OSError:
                if not target.is_dir():  # otherwise another process was faster
                    raise
    except (
        OSError,
        EOFError,
        RuntimeError,
        http.client.HTTPException,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(AN4_ZIP, f"cannot be downloaded to {folder} ({error})", way_out) from error
    return target


def unzip(archive: Path, folder: Path) -> None:
    """Unpack a zip file after checking that every member stays inside `folder`.

    Raises:
        DataError: a member is outside or a link, or the total exceeds 1 GiB.
        zipfile.BadZipFile, zlib.error, EOFError, RuntimeError: the file is damaged or encrypted.
    """
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            path = PurePosixPath(member.filename.replace("\\", "/"))
            link = stat.S_ISLNK(member.external_attr >> 16)
            if path.is_absolute() or ".." in path.parts or ":" in member.filename or link:
                raise DataError(archive, f"unsafe member {member.filename!r}", "do not use this archive")
        if sum(member.file_size for member in file.infolist()) > LARGEST:
            raise DataError(archive, f"more than {LARGEST >> 30} GiB unpacked", "do not use this archive")
        file.extractall(folder)
