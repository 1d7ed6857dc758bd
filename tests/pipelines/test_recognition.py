"""recognize() by what a source is, and `triscribe recognize` over a folder of everything."""

import builtins
import io
import json

import numpy as np
import pytest
from PIL import Image

from pipelines import ink, recognize
from pipelines.commands import cli
from pipelines.errors import MediaError, ModelError
from pipelines.media.images import read_image
from pipelines.media.ink import Ink
from pipelines.reading import readers
from pipelines.reading.settings import RecognitionOptions
from pipelines.reading.sources import rows_of, units_of
from pipelines.tasks import TASKS
from tests.data.bar_reader import BarReader
from tests.data.media import tone, write_audio
from tests.data.named import named
from tests.data.pictures import bars, write_pdf

STROKES = [[(0, 0), (1, 2), (3, 4)], [(5, 5)]]
PIECE = {"strokes": [[[0, 0], [1, 2], [3, 4]]], "label": "a"}
TEXTS = ["ab", "ba a", "b"]


@pytest.fixture(scope="module")
def model():
    return BarReader()


@pytest.fixture
def folder(tmp_path):
    """Two images, a PDF, ink, and what is none of these."""
    (tmp_path / "in/deep").mkdir(parents=True)
    Image.fromarray(bars("ab")).save(tmp_path / "in/x.png")
    Image.fromarray(bars("ba a")).convert("RGB").save(tmp_path / "in/deep/ü y.tif")
    write_pdf(tmp_path / "in/book.pdf", [bars(text) for text in TEXTS])
    (tmp_path / "in/notes.txt").write_text("not an image")
    (tmp_path / "in/x.gt.txt").write_text("ab")
    return tmp_path / "in"


def test_every_kind_of_image_gives_the_same_page(model, folder):
    expected = recognize(folder / "x.png", model)
    assert expected.text == "ab" and expected.source == str(folder / "x.png")
    with open(folder / "x.png", "rb") as file:
        assert recognize(file, model).regions == expected.regions
    (folder / "x.png").rename(folder / "x.pdf")
    for source in (
        str(folder / "x.pdf"),
        io.BytesIO((folder / "x.pdf").read_bytes()),
        bars("ab"),
        Image.fromarray(bars("ab")),
        read_image(bars("ab")),
    ):
        assert recognize(source, model).regions == expected.regions


def test_pdf(model, folder):
    pages = recognize(folder / "book.pdf", model, dpi=72)
    assert iter(pages) is pages
    pages = list(pages)
    assert [page.text for page in pages] == TEXTS and [page.number for page in pages] == [1, 2, 3]
    assert {page.source for page in pages} == {str(folder / "book.pdf")}
    assert (pages[1].width, pages[1].height) == (160, 60)
    (page,) = recognize(folder / "book.pdf", model, dpi=144, pages="3")
    assert (page.number, page.text, page.width) == (3, "b", 80)
    with pytest.raises(MediaError, match="has 3 pages, not 4"):
        recognize(folder / "book.pdf", model, pages="2-4")
    with pytest.raises(ValueError, match="pages are numbers"):
        recognize(folder / "x.png", model, pages="two")


def test_tiff_of_several_pages(model, folder, tmp_path):
    first, *others = [Image.fromarray(bars(text)) for text in TEXTS]
    first.save(folder / "scans.tif", save_all=True, append_images=others)
    pages = list(recognize(folder / "scans.tif", model))
    assert [page.text for page in pages] == TEXTS and [page.number for page in pages] == [1, 2, 3]
    with open(folder / "scans.tif", "rb") as file:
        assert [page.text for page in recognize(file, model, pages="2-")] == TEXTS[1:]
    (page,) = recognize(folder / "scans.tif", model, pages="3")
    assert page.text == "b"


def test_many_sources_keep_their_order(model, folder):
    sources = [folder / "x.png", folder / "notes.txt", folder / "book.pdf", bars("bb"), folder / "none.png"]
    found = list(recognize(iter(sources), model, dpi=72, errors="return"))
    assert [getattr(each, "text", None) for each in found] == ["ab", None, *TEXTS, "bb", None]
    assert (
        "neither an image, a PDF document, ink (InkML or JSON lines) nor a video; it looks like text"
        in str(found[1])
    )
    rest = recognize(sources, model)
    assert next(rest).text == "ab"
    with pytest.raises(MediaError, match="notes.txt"):
        next(rest)
    assert list(recognize([], model)) == []


def test_what_is_ink_goes_to_the_model_for_ink(model, tmp_path, monkeypatch):
    lines = tmp_path / "lines.dat"
    lines.write_text((json.dumps(PIECE) + "\n") * 3)
    points = [np.array(stroke, float) for stroke in STROKES]
    rows, options = rows_of("recognize"), RecognitionOptions()
    for source in (STROKES, [list(map(list, stroke)) for stroke in STROKES], points, [[], *STROKES], lines):
        with pytest.raises(ModelError, match="is a model for handwriting; name an ink model"):
            list(recognize([source], model))
        assert {unit.task.name for unit in units_of(source, rows, options)} == {"ink"}
    assert [unit.number for unit in units_of(lines, rows, options)] == [1, 2, 3]

    asked = []

    def read(inks, network, options):
        for piece in inks:
            asked.append(piece)
            yield piece.number

    monkeypatch.setattr(ink, "read_inks", read)
    monkeypatch.setattr(readers, "model_for", lambda task, given: task)
    assert list(recognize(lines)) == [1, 2, 3]
    assert recognize(STROKES) is None and len(asked[-1].strokes) == 2
    assert list(recognize([STROKES, STROKES])) == [None, None]
    assert recognize(Ink((np.zeros((2, 3), np.float32),), number=9)) == 9


def test_a_task_without_a_bundled_model():
    assert TASKS["ink"].default is None
    with pytest.raises(ModelError, match="comes without a model for ink; name an ink model"):
        recognize(STROKES)


def test_a_page_is_opened_once_to_see_what_it_is_and_once_to_read_it(model, folder, monkeypatch):
    opening, opened = builtins.open, []

    def counted(name, *rest, **more):
        opened.append(str(name))
        return opening(name, *rest, **more)

    monkeypatch.setattr(builtins, "open", counted)
    for path in (folder / "x.png", folder / "deep/ü y.tif"):
        opened.clear()
        recognize(path, model)
        assert opened.count(str(path)) == 2


@pytest.mark.parametrize("content", [b"", b"RIFF\0\0\0\0WAVEfmt ", b"\0" * 5000, b"<svg/>", b"{}"])
def test_what_cannot_be_recognised(model, tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    for source in (tmp_path / "x.png", tmp_path / "none", tmp_path):
        with pytest.raises(MediaError) as error:
            recognize(source, model)
        assert error.value.cause and error.value.way_out


# The command


@pytest.fixture
def command(model, monkeypatch):
    named(monkeypatch, model)

    def run(*arguments):
        try:
            return cli.main(["recognize", *map(str, arguments), "-m", "bars", "--dpi", "72"])
        except SystemExit as error:
            return error.code

    return run


def written(out):
    return sorted(
        str(path.relative_to(out))
        for path in out.rglob("*")
        if path.is_file() and not path.name.startswith(".triscribe")
    )


def test_a_folder(command, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert command(folder, "-o", out, "-f", "txt,page") == 0
    names = ["book/0001", "book/0002", "book/0003", "deep/ü y", "x"]
    assert written(out) == sorted(f"{name}.{ending}" for name in names for ending in ("txt", "xml"))
    assert [(out / f"book/000{number}.txt").read_text() for number in (1, 2, 3)] == ["ab\n", "ba a\n", "b\n"]
    assert "5 recognised (5 lines, " in capsys.readouterr().out
    (out / "book/0002.xml").unlink()  # a run that broke off goes on within a document
    assert command(folder, "-o", out, "-f", "txt,page", "--skip-existing") == 0
    said = capsys.readouterr().out
    assert "1 recognised" in said and "4 already there" in said
    assert command(folder / "book.pdf", "-o", tmp_path / "some", "--pages", "2-") == 0
    assert written(tmp_path / "some") == ["book/0002.txt", "book/0003.txt"]
    first, *others = [Image.fromarray(bars(text)) for text in TEXTS]
    first.save(folder / "scans.tif", save_all=True, append_images=others)
    page = tmp_path / "index.html"
    assert command(folder / "scans.tif", "-o", tmp_path / "some", "--pages", "1,3", "--page", page) == 0
    assert written(tmp_path / "some")[2:] == ["scans/0001.txt", "scans/0003.txt"]
    shown = page.read_text(encoding="utf-8")
    assert shown.count("data:image/jpeg") >= 2 and "split it into one image" not in shown


def test_no_two_outputs_meet(command, folder, tmp_path):
    (folder / "book").mkdir()
    Image.fromarray(bars("a")).save(folder / "book/0001.png")
    Image.fromarray(bars("a")).save(folder / "x.jpg")
    Image.fromarray(bars("a")).save(folder / "x.alto.png")
    assert command(folder, "-o", tmp_path / "out", "-f", "page,alto,txt") == 0
    assert len(written(tmp_path / "out")) == 3 * 8
    assert "book/0001.pdf.txt" in written(tmp_path / "out")


def test_bad_files_cost_a_line_each(command, folder, tmp_path, capsys):
    (folder / "cut.png").write_bytes((folder / "x.png").read_bytes()[:60])
    (folder / "cut.pdf").write_bytes((folder / "book.pdf").read_bytes()[:99])
    write_audio(folder / "speech.wav", tone(0.1))
    page = tmp_path / "index.html"
    inputs = [folder, folder / "speech.wav", tmp_path / "none.png"]
    assert command(*inputs, "-o", tmp_path / "out", "--page", page) == 1
    seen = capsys.readouterr()
    failed = [line for line in seen.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 4 and "Traceback" not in seen.err
    for name in ("cut.png", "cut.pdf", "speech.wav", "none.png"):
        assert sum(name in line for line in failed) == 1
    assert "5 recognised" in seen.out and "4 failed" in seen.out
    text = page.read_text(encoding="utf-8")
    assert "cut.png" in text and "ü y.tif" in text


def test_searchable_pdf(command, folder, tmp_path, monkeypatch, capsys):
    assert command(folder, "-o", tmp_path / "out", "-f", "pdf") == 0
    names = ["book/0001", "book/0002", "book/0003", "deep/ü y", "x"]
    assert written(tmp_path / "out") == sorted(f"{name}.pdf" for name in ["book", *names])
    again = command(tmp_path / "out/book/0002.pdf", "-o", tmp_path / "again", "-f", "txt")
    assert again == 0 and (tmp_path / "again/0002/0001.txt").read_text() == "ba a\n"

    def gone(page, *rest):
        raise MediaError(page, "does not exist", "check the path")

    monkeypatch.setattr("pipelines.media.documents.page_of", gone)
    capsys.readouterr()
    assert command(folder, "-o", tmp_path / "none", "-f", "pdf") == 1
    seen = capsys.readouterr()
    assert seen.err.count("failed: ") == 5 and "0 recognised" in seen.out and not written(tmp_path / "none")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("x.png -f srt", "no format 'srt'"),
        ("x.png --layout lines", "layout must be auto"),
        ("x.png --pages 0", "pages are numbers"),
        ("x.png --batch-size 0", "batch_size must be"),
        ("x.png --lay auto", "--layout"),
        ("", "name at least one"),
    ],
)
def test_wrong_usage(command, folder, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(folder)
    assert command(*arguments.split()) == 2
    assert message in capsys.readouterr().err
