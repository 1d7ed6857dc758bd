"""Recordings, videos, images, ink, pages and texts: whole ones that are made here, and how each is read."""

from __future__ import annotations

import gzip
import io
import wave
from pathlib import Path
from time import gmtime

import numpy as np

SAME = {"fflags": "+bitexact"}  # files are the same every time


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
    medium = path.name[0]
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
