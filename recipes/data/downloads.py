"""Where a named data set lies: a folder that is given, $TRISCRIBE_DATA, the cache, or its public home."""

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
LARGEST = 1 << 30  # bytes; AN4 is far below, so more is not AN4


def find_data(data: str | Path | None, name: str) -> Path:
    """The folder of a data set, downloaded when it is "an4" and lies nowhere yet.

    Args:
        data: the folder that the user gave; nothing else is looked at then.
        name: the data set's name below $TRISCRIBE_DATA and in the cache.

    Raises:
        DataError: the folder is missing, or the data set lies nowhere and cannot be downloaded.
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
    """$XDG_CACHE_HOME/triscribe, or ~/.cache/triscribe."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "triscribe"


def fetch_an4(folder: str | Path | None = None) -> Path:
    """Download AN4 (English letters, numbers and commands; licence inside) into `folder`/an4.

    Args:
        folder: where to; the cache folder when None. An `an4` that is already there is not touched.

    Returns:
        The data set's folder. It appears whole or not at all.

    Raises:
        DataError: no connection, no space, or an archive that is damaged or unsafe.
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
                if not target.is_dir():  # else another process was first
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
    """Unpack a zip file, after every member was checked to stay inside `folder`.

    Raises:
        DataError: a member leads outside or is a link, or there is more than 1 GiB in all.
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
