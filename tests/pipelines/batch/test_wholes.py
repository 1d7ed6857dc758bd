"""One output of a whole document, joined of those of its pages, whatever becomes of a page or of the run."""

import shutil
import subprocess

import pypdfium2
import pytest
from PIL import Image

from pipelines import handwriting
from pipelines.batch import work
from pipelines.batch.journal import Journal
from pipelines.commands import cli
from pipelines.correcting.folder import Folder
from pipelines.errors import MediaError
from pipelines.reading import readers
from pipelines.results import Page, TextLine, TextRegion
from tests.data.pictures import ramp, write_pdf


class StandIn:
    """The reader of pages, and what to do at the page of a number instead of reading it."""

    def __init__(self):
        self.name, self.read, self.instead = "m", [], {}

    def __call__(self, sources, model, options):
        for source in sources:
            number = getattr(source, "number", None)
            self.read.append(number)
            happening = self.instead.get(number)
            if isinstance(happening, BaseException) and not isinstance(happening, MediaError):
                raise happening
            box = ((20, 20), (280, 20), (280, 60), (20, 60))
            lines = (TextLine(f"page {number} of it", 0.9, box, ((20, 50), (280, 50))),)
            name = str(source.name if number else source)
            yield happening or Page((TextRegion(lines),), 300, 200, "m", name, number)


@pytest.fixture
def model(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setattr(readers, "model_for", lambda task, model: stand_in)
    monkeypatch.setattr(work, "header_for", lambda task, model: (stand_in.name, {}))
    monkeypatch.setattr(handwriting, "read_pages", stand_in)
    return stand_in


@pytest.fixture
def document(tmp_path):
    (tmp_path / "in").mkdir()
    return write_pdf(tmp_path / "in" / "doc.pdf", 3 * [ramp(200, 300)])


def run(source, out, *more) -> int:
    return cli.main(["recognize", str(source), "-o", str(out), "-f", "pdf,txt", *more])


def texts(path):
    """What is on each page."""
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range().strip() for page in document]


def all_pages(*numbers):
    return [f"page {number} of it" for number in numbers]


def test_one_searchable_pdf_of_a_document(model, document, tmp_path):
    assert run(document, tmp_path / "out") == 0
    assert texts(tmp_path / "out" / "doc.pdf") == all_pages(1, 2, 3)
    frames = [Image.fromarray(ramp(200, 300)) for _ in range(2)]
    frames[0].save(tmp_path / "in" / "two.tif", save_all=True, append_images=frames[1:])
    assert run(tmp_path / "in", tmp_path / "both") == 0
    assert texts(tmp_path / "both" / "two.pdf") == all_pages(1, 2)
    if shutil.which("pdftotext"):
        command = ["pdftotext", str(tmp_path / "both" / "doc.pdf"), "-"]
        found = subprocess.run(command, capture_output=True, text=True).stdout.split("\f")[:-1]
        pages = sorted((tmp_path / "both" / "doc").glob("*.txt"))
        assert list(map(str.strip, found)) == [page.read_text().strip() for page in pages]


def test_a_second_run_leaves_it_alone(model, document, tmp_path):
    run(document, tmp_path / "out")
    whole = tmp_path / "out" / "doc.pdf"
    before = whole.stat()
    model.read.clear()
    assert run(document, tmp_path / "out", "--skip-existing") == 0
    assert not model.read and whole.stat().st_mtime_ns == before.st_mtime_ns
    whole.unlink()
    assert run(document, tmp_path / "out", "--skip-existing") == 0
    assert not model.read and texts(whole) == all_pages(1, 2, 3)


def test_after_an_interruption_it_is_whole(model, document, tmp_path):
    model.instead[3] = KeyboardInterrupt()
    assert run(document, tmp_path / "out") == 130
    assert not (tmp_path / "out" / "doc.pdf").exists()
    model.instead.clear()
    model.read.clear()
    assert run(document, tmp_path / "out", "--skip-existing") == 0
    assert 3 in model.read and texts(tmp_path / "out" / "doc.pdf") == all_pages(1, 2, 3)


def test_a_page_that_cannot_be_read_costs_that_page(model, document, tmp_path, capsys):
    model.instead[2] = MediaError(document, "page 2 is damaged", "mend it")
    assert run(document, tmp_path / "out") == 1
    assert texts(tmp_path / "out" / "doc.pdf") == all_pages(1, 3)
    assert "page 2 is damaged" in capsys.readouterr().err
    model.instead.clear()
    assert run(document, tmp_path / "out", "--skip-existing") == 0
    assert texts(tmp_path / "out" / "doc.pdf") == all_pages(1, 2, 3)


def test_an_edited_page_is_taken_and_an_edited_whole_is_kept(model, document, tmp_path, capsys):
    out = tmp_path / "out"
    run(document, out)
    (out / "doc" / "0002.pdf").write_bytes((out / "doc" / "0001.pdf").read_bytes())
    assert run(document, out, "--skip-existing") == 0
    assert texts(out / "doc.pdf") == all_pages(1, 1, 3)
    (out / "doc.pdf").write_bytes((out / "doc" / "0003.pdf").read_bytes())
    (out / "doc" / "0002.pdf").unlink()
    assert run(document, out, "--skip-existing") == 0
    assert texts(out / "doc.pdf") == all_pages(3) and "doc.pdf: edited since" in capsys.readouterr().err
    assert run(document, out, "--overwrite") == 0
    assert texts(out / "doc.pdf") == all_pages(1, 2, 3)


def test_a_corrected_page_is_in_it(model, document, tmp_path):
    out = tmp_path / "out"
    assert run(document, out, "-f", "json,pdf") == 0
    folder = Folder(out, "Ada")
    folder.save(1, 0, "page II of it", True)
    assert folder.finish() == []
    assert texts(out / "doc.pdf") == ["page 1 of it", "page II of it", "page 3 of it"]
    assert not Journal(out).is_edited(out / "doc.pdf")


def test_sources_are_not_written_over(model, document, tmp_path):
    before = document.read_bytes()
    assert run(document, document.parent, "--overwrite") == 0
    assert document.read_bytes() == before
    assert texts(document.parent / "doc.pdf.pdf") == all_pages(1, 2, 3)


def test_what_others_made_is_not_replaced(model, document, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "doc.pdf").write_text("mine")
    assert run(document, tmp_path / "out") == 1
    assert (tmp_path / "out" / "doc.pdf").read_text() == "mine"
    assert "doc.pdf exists and was not made by triscribe" in capsys.readouterr().err


def test_names_that_would_meet(model, document, tmp_path):
    folder = document.parent
    Image.fromarray(ramp(200, 300)).save(folder / "doc.jpg")
    frames = [Image.fromarray(ramp(200, 300)) for _ in range(2)]
    frames[0].save(folder / "doc.tif", save_all=True, append_images=frames[1:])
    assert run(folder, tmp_path / "out") == 0
    assert texts(tmp_path / "out" / "doc.pdf.pdf") == all_pages(1, 2, 3)
    assert texts(tmp_path / "out" / "doc.tif.pdf") == all_pages(1, 2)
    assert texts(tmp_path / "out" / "doc.pdf") == all_pages(None)
