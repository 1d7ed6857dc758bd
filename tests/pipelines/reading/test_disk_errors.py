"""A disk that fails while a source is read costs that source only, in every task."""

import builtins
import errno
import io
import os

import numpy as np
import pytest
from PIL import Image

from benchmarks.hostile.media import whole_files
from pipelines import caption, recognize, transcribe
from pipelines.errors import DataError, MediaError
from recipes.data.datasets import read_speech, with_durations

STALE = OSError(errno.ESTALE, os.strerror(errno.ESTALE))


class Failing(io.BytesIO):
    """A file that can be opened, and whose disk is gone after some bytes."""

    left = 0

    def read(self, size=-1):
        if self.left <= 0:
            raise STALE
        found = super().read(self.left if size is None or size < 0 else min(size, self.left))
        self.left -= len(found)
        return found

    def readinto(self, buffer):
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    readinto1, read1 = readinto, read


@pytest.fixture
def disk(monkeypatch):
    """Makes the files of one name fail after so many bytes, each time they are opened."""
    opened = builtins.open

    def fail(name: str, after: int) -> None:
        def open_failing(path, mode="r", *given, **named):
            if isinstance(path, (str, os.PathLike)) and os.path.basename(path) == name and "b" in mode:
                with opened(path, "rb") as file:
                    failing = Failing(file.read())
                failing.left = after
                return failing
            return opened(path, mode, *given, **named)

        monkeypatch.setattr(builtins, "open", open_failing)

    return fail


FUNCTIONS = {
    "a.wav": transcribe,
    "a.mp3": transcribe,
    "a.mka": transcribe,
    "p.png": recognize,
    "p.tif": recognize,
    "p.pdf": recognize,
    "v.mp4": recognize,
    "p.jpg": caption,
}


@pytest.mark.parametrize("after", [0, 40, 3000])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_failing_disk_costs_that_source_only(tmp_path, disk, name, after, capfd):
    content = whole_files()[name]
    if after >= len(content):
        pytest.skip("such a file is not read so far")
    sources = [tmp_path / each / name for each in ("one", "two")]
    sources[1:1] = [tmp_path / f"bad-{name}"]
    for source in sources:
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(content)
    disk(f"bad-{name}", after)
    first, bad, last = FUNCTIONS[name](sources, errors="return")
    assert isinstance(bad, MediaError) and f"bad-{name}" in bad.path
    assert first.model and last.model
    assert "Traceback" not in capfd.readouterr().err


def test_a_source_that_vanishes_before_its_turn(tmp_path):
    paths = []
    for number in range(3):
        Image.fromarray(np.full((40, 200), 255, np.uint8)).save(tmp_path / f"{number}.png")
        paths.append(tmp_path / f"{number}.png")

    def vanishing():
        yield paths[0]
        yield paths[1]
        paths[2].unlink()
        yield paths[2]

    *good, bad = recognize(vanishing(), errors="return")
    assert [page.source for page in good] == [str(path) for path in paths[:2]]
    assert isinstance(bad, MediaError) and bad.path == str(paths[2])


def test_in_training_too(tmp_path, disk):
    for name in ("good", "bad"):
        (tmp_path / f"{name}.wav").write_bytes(whole_files()["a.wav"])
        (tmp_path / f"{name}.txt").write_text("one")
    manifest = read_speech(tmp_path)
    disk("bad.wav", 100)
    kept, rejected = with_durations(manifest.items)
    assert [item.path.name for item in kept] == ["good.wav"]
    assert [bad.path for bad in rejected] == [str(tmp_path / "bad.wav")]
    with pytest.raises(DataError, match="nowhere"):
        read_speech(tmp_path / "nowhere")
