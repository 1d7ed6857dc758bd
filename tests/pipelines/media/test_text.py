import gzip
import os
import random
import threading

import pytest

from pipelines.errors import DataError
from pipelines.media.text import read_text, strange_text


@pytest.mark.parametrize("opened", [open, gzip.open])
def test_texts_are_read_plain_or_zipped(tmp_path, opened):
    with opened(tmp_path / "a.txt", "wb") as file:
        file.write("\ufeffé\r\nb\rc\n".encode())
    assert read_text(tmp_path / "a.txt") == "é\nb\nc\n"


def test_what_is_no_text_is_named(tmp_path):
    path = tmp_path / "x.txt"
    with pytest.raises(DataError, match=r"x.txt: does not exist"):
        read_text(path)
    with pytest.raises(DataError, match="is a folder"):
        read_text(tmp_path)
    zipped = gzip.compress(random.Random(1).randbytes(500))
    damaged = zipped[:30] + b"xx" + zipped[32:]
    for content, cause in (
        (b" \n", "holds no text"),
        (b"", "holds no text"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (zipped, "is not UTF-8"),
        (zipped[:-20], r"cannot be read \(Compressed file ended"),
        (damaged, "cannot be read"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"x.txt: {cause}"):
            read_text(path)


def test_what_is_zipped_is_not_unpacked_beyond_bounds(tmp_path):
    path = tmp_path / "bomb.txt"
    path.write_bytes(gzip.compress(b"".join(b"%d " % number for number in range(400_000))))
    with pytest.raises(DataError, match=r"bomb.txt: holds too much text; give a part of it, of at most 2 MB"):
        read_text(path, 2_000_000)
    assert len(read_text(path, 3_000_000)) == 2_688_890


def test_text_that_expands_more_than_text_does(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"\n" * 50_000_000))
    with pytest.raises(DataError, match="expands more than 200-fold"):
        read_text(path)
    path.write_bytes(gzip.compress(b"a word\n" * 100_000))
    assert read_text(path).count("\n") == 100_000  # small files may


def test_pipes_and_devices(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("from a pipe\n",))
    writer.start()
    assert read_text(path) == "from a pipe\n"
    writer.join()
    with pytest.raises(DataError, match="/dev/zero: is a device"):
        read_text("/dev/zero")


def test_texts_with_nul_characters_are_told_from_other_files():
    for encoding in ("utf-16-le", "utf-16-be", "utf-32"):
        assert encoding[:6].upper() in strange_text("play some music\n".encode(encoding))
    assert "NUL characters" in strange_text("play some müsic\0\n".encode())
    assert strange_text(bytes(range(256))) is None
    assert strange_text(b"plain") is None and strange_text(bytes(40)) is None
