"""Damaged files of all media: each gives a result or one of our errors, in bounded time and memory.

    python -m benchmarks.hostile --count 2000 --seed 1

The files are made here, from whole ones that are made here too: bits flipped, cut off, pieces swapped,
doubled or zeroed, and numbers in the header replaced by absurd ones. Each is read in a child process
with limits of processor time and memory.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import multiprocessing
import random
import resource
import signal
import tempfile
import wave
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import gmtime

import numpy as np

SECONDS, MEMORY = 10, 1 << 30  # of the processor and bytes, beyond those that the process has
NUMBERS = (
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\0",
    b"\x01\0\0\0",
    b"\0\0\0\x80",
    b"\0\0\xff\xff",
)
SAME = {"fflags": "+bitexact"}  # files are the same every time
OUTCOMES = ("result", "our error", "foreign exception", "time-out", "over memory", "signal")


def whole_files() -> dict[str, bytes]:
    """Small undamaged files by name."""
    files = {}
    samples = (3000 * np.sin(np.arange(8000) / 5)).astype("<i2")
    with io.BytesIO() as buffer:
        with wave.open(buffer, "wb") as sound:
            sound.setparams((1, 2, 16000, 0, "NONE", ""))
            sound.writeframes(samples.tobytes())
        files["a.wav"] = buffer.getvalue()
    for ending, codec in (("flac", "flac"), ("mp3", "libmp3lame"), ("ogg", "libopus"), ("mka", "aac")):
        files[f"a.{ending}"] = _sound(samples, ending, codec)
    for ending, codec in (("mp4", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4"), ("ts", "libx264")):
        files[f"v.{ending}"] = _video(ending, codec)
    files |= _images()
    files["i.inkml"] = (
        b'<ink xmlns="http://www.w3.org/2003/InkML"><annotation type="truth">ab</annotation>'
        b"<trace>10 10, 12 30, 14 50, 20 52</trace><trace>30 10, 30 50, 35 30</trace></ink>"
    )
    files["i.jsonl"] = (
        b'{"strokes": [[[1, 2, 0], [3, 9, 1], [5, 2, 2]], [[7, 2, 3], [8, 9, 4]]], "label": "v"}\n' * 3
    )
    files["i.jsonl.gz"] = gzip.compress(files["i.jsonl"], mtime=0)
    files["p.xml"] = (
        b'<?xml version="1.0"?><PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        b'<Page imageFilename="a.png" imageWidth="200" imageHeight="120"><TextRegion id="r">'
        b'<Coords points="0,0 200,0 200,120 0,120"/><TextLine id="l" custom="readingOrder {index:0;}">'
        b'<Coords points="5,5 190,5 190,50 5,50"/><Baseline points="5,40 190,40"/><TextEquiv><Unicode>ab'
        b"</Unicode></TextEquiv></TextLine></TextRegion></Page></PcGts>"
    )
    files["t.txt"] = "Some words, é and ü.\n".encode() * 20
    return files


def _sound(samples: np.ndarray, ending: str, codec: str) -> bytes:
    import av

    with io.BytesIO() as buffer:
        with av.open(buffer, "w", format={"mka": "matroska"}.get(ending, ending), options=SAME) as container:
            stream = container.add_stream(codec, rate=16000, layout="mono")
            kind = {"flac": "s16", "libopus": "s16"}.get(codec, "fltp")
            given = samples if kind == "s16" else (samples / 32768).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(given[None], kind, "mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return buffer.getvalue()


def _video(ending: str, codec: str) -> bytes:
    import av

    with io.BytesIO() as buffer:
        names = {"mkv": "matroska", "ts": "mpegts"}
        with av.open(buffer, "w", format=names.get(ending, ending), options=SAME) as container:
            stream = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(12):
                pixels = np.full((48, 64, 3), 20 * index, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            container.mux(stream.encode(None))
        return buffer.getvalue()


def _images() -> dict[str, bytes]:
    from PIL import Image, ImageDraw

    page = Image.new("L", (200, 120), 255)
    ImageDraw.Draw(page).text((10, 20), "some words of a page", 0)
    kinds = {
        "png": "L",
        "jpg": "L",
        "tif": "F",
        "webp": "RGB",
        "gif": "P",
        "bmp": "RGB",
        "pdf": "L",
        "ppm": "RGB",
    }
    files = {}
    for ending, mode in kinds.items():
        with io.BytesIO() as buffer:
            given = Image.fromarray(np.asarray(page, np.float32) / 255) if mode == "F" else page.convert(mode)
            dated = {"creationDate": gmtime(0), "modDate": gmtime(0)} if ending == "pdf" else {}
            given.save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper()), **dated)
            files[f"p.{ending}"] = buffer.getvalue()
    return files


def damaged(content: bytes, chooser: random.Random) -> bytes:
    """The content with one kind of damage."""
    data, kind = bytearray(content), chooser.randrange(7)
    place = chooser.randrange(len(data))
    size = chooser.randint(1, max(1, len(data) // 4))
    if kind == 0:
        for _ in range(chooser.choice((1, 4, 64))):
            data[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
    elif kind == 1:
        del data[place:]
    elif kind == 2:  # two pieces change places
        other = chooser.randrange(len(data))
        one, two = data[place : place + size], data[other : other + size]
        data[place : place + size], data[other : other + size] = two, one
    elif kind == 3:
        data[place : place + size] = bytes(len(data[place : place + size]))
    elif kind == 4:
        data[place:place] = data[place : place + size] * chooser.choice((1, 20))
    else:  # absurd numbers, mostly in the head
        place = chooser.randrange(min(len(data), 512 if kind == 5 else len(data)))
        number = chooser.choice(NUMBERS)
        data[place : place + 4] = number if chooser.random() < 0.5 else number[::-1]
    return bytes(data)


def corpus(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Damaged files with their names, the same for the same seed."""
    chooser, files = random.Random(seed), sorted(whole_files().items())
    for index in range(count):
        name, content = files[index % len(files)]
        yield f"{index:05}{name}", damaged(content, chooser)


def read(path: Path) -> object:
    """Read a file by every way there is for its kind, as far as models are not needed."""
    from pipelines.layout.given import read_layout
    from pipelines.media.audio import read_audio
    from pipelines.media.documents import pdf_pages
    from pipelines.media.images import read_image
    from pipelines.media.ink import read_ink
    from pipelines.media.kind import kind_of
    from pipelines.media.text import read_text
    from pipelines.media.video import open_video

    kind_of(path)
    medium = path.name[5]
    if medium == "a":
        return read_audio(path, 16000)
    if medium == "v":
        return sum(1 for _ in open_video(path).frames(every=0.125, strict=False))
    if medium == "i":
        return read_ink(path)
    if medium == "t":
        return read_text(path)
    if path.suffix == ".xml":
        return read_layout(path)
    if path.suffix == ".pdf":
        return [read_image(page) for page in pdf_pages(path, dpi=100)]
    return read_image(path)


def outcome(path: Path) -> tuple[str, str]:
    """What comes of reading a file here: one of `OUTCOMES`, and what was raised."""
    from pipelines.errors import TriscribeError

    try:
        read(path)
    except TriscribeError as error:
        return "our error", str(error)
    except MemoryError as error:
        return "over memory", repr(error)
    except Exception as error:
        return "foreign exception", repr(error)
    return "result", ""


def bounded_outcome(path: Path) -> tuple[str, str]:
    """The same in a child process with limits of processor time and memory."""
    ours, theirs = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_tell, args=(path, theirs))
    child.start()
    theirs.close()
    found = None
    with contextlib.suppress(EOFError):
        found = ours.recv() if ours.poll(6 * SECONDS) else ("time-out", "waits")
    if found == ("time-out", "waits"):
        child.kill()
    child.join()
    if found is None:
        number = -(child.exitcode or 0)
        found = ("time-out", "") if number in (signal.SIGXCPU, signal.SIGKILL) else ("signal", str(number))
    return found


def _tell(path: Path, pipe) -> None:
    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS, used + SECONDS + 1))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    pipe.send(outcome(path))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000, help="number of damaged files")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import_module("torch")  # which some files need, and which takes more address space than any of them may
    table: dict[str, Counter] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in whole_files().items():  # imports everything, and shows that these are read
            path = Path(folder) / f"00000{name}"
            path.write_bytes(content)
            found = outcome(path)
            if found[0] != "result":
                print(f"undamaged: {name}: {found}")
        for name, content in corpus(options.count, options.seed):
            path = Path(folder) / name
            path.write_bytes(content)
            found, why = bounded_outcome(path)
            table.setdefault(name.rpartition(".")[2], Counter())[found] += 1
            if found not in OUTCOMES[:2]:
                print(f"{name}: {found} {why}")
            path.unlink()
    print(f"\n{'format':10}" + "".join(f"{each:>19}" for each in OUTCOMES))
    table["all"] = sum(table.values(), Counter())
    for name, counts in table.items():
        print(f"{name:10}" + "".join(f"{counts[each]:19}" for each in OUTCOMES))


if __name__ == "__main__":
    main()
