"""What a source is: told by its content, in one look; by its name only where that is ruined."""

import builtins
import gzip
import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.commands import cli
from pipelines.errors import MediaError
from pipelines.media import kind as kinds
from pipelines.media.documents import pdf_pages
from pipelines.media.images import read_image
from pipelines.media.ink import Ink
from pipelines.media.kind import is_one, kind_of, named_kind
from pipelines.media.video import Clip
from pipelines.reading.settings import BatchOptions
from pipelines.reading.sources import rows_of, units_of
from pipelines.tasks import TASKS
from tests.data.clips import write_video
from tests.data.media import tone, write_audio, write_container
from tests.data.pictures import write_pdf

GREY = np.full((20, 30), 90, np.uint8)
STROKES = [[(0, 0), (1, 2), (3, 4)], [(5, 5)]]
PIECE = {"label": "a", "strokes": [[[0, 0], [1, 2], [3, 4]]]}
PAGE = '<?xml version="1.0"?>\n<PcGts xmlns="http://schema.primaresearch.org/PAGE"><Page/></PcGts>'
INKML = '<?xml version="1.0"?>\n<ink xmlns="http://www.w3.org/2003/InkML"><trace>1 2</trace></ink>'

CONTENTS = {
    "page layout": (
        PAGE.encode(),
        PAGE.encode("utf-16"),
        b"<!--" + b"x" * 9000 + b"-->" + PAGE.encode(),
        b"<alto>",
    ),
    "ink": (
        INKML.encode(),
        INKML.encode("utf-16"),
        gzip.compress(INKML.encode()),
        (json.dumps(PIECE) + "\n").encode() * 3,
        gzip.compress(json.dumps(PIECE).encode()),
        json.dumps({"strokes": [[[x, x] for x in range(20_000)]]}).encode(),
        b"\xef\xbb\xbf" + json.dumps(PIECE).encode(),
        json.dumps(PIECE).encode("utf-16"),
    ),
    "text": (
        b"hello there\n" * 500,
        "Grüße\n".encode() * 900,
        "Grüße\n".encode("utf-16"),
        b"<svg/>",
        b"{}",
        b'{"path": "a.png", "text": "strokes"}\n',
        json.dumps({"words": [{"strokes": [{"stroke": 0, "first": 1, "last": 2}]}]}, indent=1).encode(),
        b"#EXTM3U\n#EXTINF:10,\nx.wav\n",
    ),
    "unknown": (
        b"",
        bytes(50_000),
        np.random.default_rng(0).bytes(50_000),
        b"\0\0\0\x18ftypheic" + bytes(500),
    ),
    "archive": (
        b"PK\x03\x04" + bytes(500),
        gzip.compress(bytes(500)),
        gzip.compress(INKML.encode())[:5],
        b"x.wav".ljust(257, b"\0") + b"ustar".ljust(900, b"\0"),
    ),
}


@pytest.mark.parametrize(
    ("kind", "place"), [(kind, i) for kind in CONTENTS for i in range(len(CONTENTS[kind]))]
)
def test_the_content_decides(tmp_path, kind, place):
    content = CONTENTS[kind][place]
    (tmp_path / "x").write_bytes(content)
    for source in (tmp_path / "x", str(tmp_path / "x"), io.BytesIO(content)):
        found = kind_of(source)
        assert (found.name, found.ruined, found.sound) == (kind, False, False)
        assert found.source is source and found.empty is (content == b"")


@pytest.mark.parametrize(
    ("made", "kind", "sound"),
    [
        ("a.wav", "recording", True),
        ("a.flac", "recording", True),
        ("a.mp3", "recording", True),
        ("a.ogg", "recording", True),
        ("a.m4a", "recording", True),
        ("a.webm", "recording", True),
        ("a.aac", "recording", True),
        ("film.mp4", "video", True),
        ("film.mkv", "video", True),
        ("silent.mp4", "video", False),
        ("silent.ts", "video", False),
        ("many.gif", "animated image", False),
        ("one.gif", "image", False),
        ("one.png", "image", False),
        ("one.jpg", "image", False),
        ("pages.tif", "image of several pages", False),
        ("a.pdf", "PDF document", False),
    ],
)
@pytest.mark.parametrize("name", ["x.wav", "x.png", "x.mp4", "x.txt", "x"])
def test_whatever_the_name_is(tmp_path, made, kind, sound, name):
    path = tmp_path / made
    if made.startswith("film"):
        write_container(path, tone(1.0), video_seconds=1.0)
    elif made.startswith(("silent", "many")):
        write_video(path, 5, **({"codec": "gif"} if made.endswith("gif") else {}))
    elif made == "pages.tif":
        Image.fromarray(GREY).save(path, save_all=True, append_images=[Image.fromarray(GREY)])
    elif made.startswith("one"):
        Image.fromarray(GREY).save(path)
    elif made.endswith("pdf"):
        write_pdf(path, [GREY])
    else:
        write_audio(path, tone(1.0))
    found = kind_of(path.rename(tmp_path / name))
    assert (found.name, found.sound, found.ruined) == (kind, sound, False)
    assert found.file == str(tmp_path / name)


def test_the_name_decides_where_the_content_is_ruined(tmp_path):
    for name, content, kind in [
        ("x.wav", b"<html>404</html>", "recording"),
        ("x.MP3", b"", "recording"),
        ("x.png", b"\x89PNG cut", "image"),
        ("x.heic", b"\0\0\0\x18ftypheic" + bytes(99), "image"),
        ("x.mp4", bytes(99), "video"),
        ("x.pdf", b"nothing", "PDF document"),
        ("x.inkml", b"<html/>", "ink"),
        ("x.jsonl", b"{]", "ink"),
    ]:
        (tmp_path / name).write_bytes(content)
        found = kind_of(tmp_path / name)
        assert (found.name, found.ruined) == (kind, True)
    (tmp_path / "manifest.jsonl").write_text('{"path": "a.wav", "text": "b"}\n')
    assert kind_of(tmp_path / "manifest.jsonl").name == "text"
    assert [named_kind(name) for name in ("a.svg", "a.m3u", "a.ts", "png")] == ["unknown"] * 4


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4"])
def test_one_that_is_cut_off_is_still_what_it_was(tmp_path, name):
    write_container(tmp_path / name, tone(2.0), video_seconds=2.0 if name == "a.mp4" else None)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    found = kind_of(tmp_path / name)
    assert (found.name, found.sound) == ("video" if name == "a.mp4" else "recording", True)


def test_what_is_no_file(tmp_path):
    write_pdf(tmp_path / "a.pdf", [GREY])
    for source, kind in [
        (np.zeros(9), "recording"),
        (GREY, "image"),
        (torch.zeros(20, 30, 3), "image"),
        (torch.zeros(5, 20, 30, 3), "frames"),
        (Image.fromarray(GREY), "image"),
        (tmp_path, "frames"),
        (STROKES, "ink"),
        ([np.zeros((4, 2)), np.zeros((1, 2))], "ink"),
        ([[], *STROKES], "ink"),
        (pdf_pages(tmp_path / "a.pdf")[0], "image"),
        (read_image(GREY), "image"),
        (Ink((np.zeros((2, 3), np.float32),)), "ink"),
        (Clip("a.mp4"), "video"),
    ]:
        assert kind_of(source).name == kind and is_one(source)
    for source in ([], [GREY], (str(tmp_path),), iter([GREY]), [STROKES, STROKES]):
        assert not is_one(source)
    for source in (7, None, io.StringIO("x"), tmp_path / "none.wav"):
        with pytest.raises(MediaError):
            kind_of(source)


def test_a_stream_that_can_be_read_once_is_kept(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "x.png")
    with open(tmp_path / "x.png", "rb") as file:
        stream = SimpleNamespace(read=file.read, seekable=lambda: False)
        found = kind_of(stream)
    assert found.name == "image" and (read_image(found.source).pixels == GREY).all()


@pytest.mark.parametrize("made", ["a.png", "a.wav", "a.mp4", "a.jsonl", "a.txt", "a.pdf", "a.xml"])
def test_a_file_is_opened_once(tmp_path, monkeypatch, made):
    path = tmp_path / made
    if made == "a.png":
        Image.fromarray(GREY).save(path)
    elif made == "a.pdf":
        write_pdf(path, [GREY])
    elif made in ("a.wav", "a.mp4"):
        write_container(path, tone(1.0), video_seconds=1.0) if made == "a.mp4" else write_audio(
            path, tone(1.0)
        )
    else:
        path.write_text({"a.jsonl": json.dumps(PIECE), "a.txt": "text", "a.xml": PAGE}[made])
    opening, opened = builtins.open, []
    monkeypatch.setattr(
        builtins, "open", lambda name, *rest, **more: opened.append(name) or opening(name, *rest, **more)
    )
    kind_of(path)
    assert opened.count(str(path)) == 1


def test_every_kind_in_the_table_is_known_or_detected():
    known = {value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)}
    for row in TASKS.values():
        assert row.detect or set(row.kinds) <= known


@pytest.mark.parametrize("command", ["recognize", "transcribe"])
def test_an_archive_is_named_as_one_and_is_to_be_unpacked(tmp_path, command, capsys):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in/x.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    arguments = [command, "-o", str(tmp_path / "out")]
    assert cli.main([*arguments, str(tmp_path / "in/x.zip")]) == 1
    assert "it looks like an archive; unpack it" in capsys.readouterr().err


def test_office_documents_and_parquet_are_named_with_a_way_out(tmp_path):
    for name in ("book.xlsx", "letter.docx"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("[Content_Types].xml", "<Types/>")
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as file:
        file.writestr("a.txt", "hello")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    (tmp_path / "table.parquet").write_bytes(b"PAR1" + bytes(200) + b"PAR1")
    (tmp_path / "latin.csv").write_bytes("ds,Größe\n1,2\n".encode("latin-1"))
    said = {
        ("book.xlsx", "forecast"): "office document; save it as CSV",
        ("old.xls", "forecast"): "office document; save it as CSV",
        ("letter.docx", "recognize"): "office document; save it as PDF",
        ("plain.zip", "forecast"): "archive; unpack it",
        ("table.parquet", "forecast"): "Parquet table; save it as CSV",
        ("latin.csv", "forecast"): "is a text, but not in UTF-8; save it as UTF-8$",
    }
    for (name, command), words in said.items():
        rows = rows_of(command)
        with pytest.raises(MediaError, match=words):
            units_of(tmp_path / name, rows, BatchOptions())
