"""Searchable PDF: the page as it was, and its text as others' readers find it."""

import json
import random
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from pipelines import recognize
from pipelines.errors import MediaError
from pipelines.media.documents import page_of, pdf_pages
from pipelines.media.images import read_image
from pipelines.results import Glyph, Page, StrokeSpan, TextLine, TextRegion, WrittenWord
from pipelines.writers import writer
from tests.data.bar_reader import BarReader
from tests.data.pictures import bars, ramp, write_pdf

LEFT = [
    "Dear friend,",
    "your letter (of 1918) reached me",
    "e\u0301te\u0301 \U0001d50a",
    "I a",
    "नमस्ते दुनिया",
    "中文 字",
]
RIGHT = ["שלום לכם חברים", "مرحبا بالعالم"]


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line_of(text, top, with_words):
    """A line in letters 20 pixels wide, its words where they are seen."""
    rightward, place, words = text[0] < "\u0590" or text[0] > "\u07ff", 0, []
    for word in text.split():
        across = 40 + 20 * place, 40 + 20 * (place + len(word))
        left, right = across if rightward else (800 - across[1], 800 - across[0])
        words.append(WrittenWord(word, 0.9, box(left, top, right, top + 40)))
        place += len(word) + 1
    ends = (40, 40 + 20 * len(text)) if rightward else (760 - 20 * len(text), 760)
    baseline = ((ends[0], top + 30), (ends[1], top + 30))
    return TextLine(text, 0.9, box(ends[0], top, ends[1], top + 40), baseline, tuple(words) * with_words)


@pytest.fixture
def page(tmp_path):
    Image.fromarray(ramp(600, 800)).save(tmp_path / "x.png", dpi=(200, 200))

    def made(texts, with_words=True):
        lines = [line_of(text, 40 + 60 * place, with_words) for place, text in enumerate(texts)]
        return Page((TextRegion(tuple(lines)),), 800, 600, "a", str(tmp_path / "x.png"))

    return made


def tidy(text):
    """Without marks of direction, which some readers add, and spaces at the ends of lines."""
    text = re.sub("[\u202a-\u202e\u200e\u200f\f]", "", text).replace("\r", "")
    return [re.sub(" +", " ", line).strip() for line in text.split("\n") if line.strip()]


def found_by_pdfium(path):
    with pypdfium2.PdfDocument(path) as document:
        return tidy("\n".join(page.get_textpage().get_text_range() for page in document))


def found_by_pdftotext(path):
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed")
    command = ["pdftotext", "-enc", "UTF-8", str(path), "-"]
    return tidy(subprocess.run(command, capture_output=True, check=True).stdout.decode())


@pytest.mark.parametrize("found_by", [found_by_pdfium, found_by_pdftotext])
@pytest.mark.parametrize("with_words", [True, False])
def test_the_text_of_any_script_is_found(page, tmp_path, found_by, with_words):
    for texts in (LEFT, RIGHT, ["中文 字"]):
        made = page(texts, with_words)
        assert found_by(made.save(tmp_path / "x.pdf")) == texts


def test_a_number_in_right_to_left_text_is_found(page, tmp_path):
    """pdftotext puts the space on the other side of it."""
    texts = ["שלום לכם 123 חברים"]
    path = page(texts).save(tmp_path / "x.pdf")
    assert found_by_pdfium(path) == texts
    assert found_by_pdftotext(path)[0].replace(" ", "") == texts[0].replace(" ", "")


def test_a_line_that_ends_in_a_hyphen_is_not_joined_by_pdftotext(page, tmp_path):
    texts = ["it was a long-", "ish letter"]
    assert found_by_pdftotext(page(texts).save(tmp_path / "x.pdf")) == texts


def test_words_lie_on_their_places(page, tmp_path):
    made = page(LEFT[:2])
    with pypdfium2.PdfDocument(made.save(tmp_path / "x.pdf")) as document:
        width, height = document[0].get_size()
        assert (width, height) == pytest.approx((288, 216), abs=0.01)  # 800 x 600 pixels, 200 to an inch
        text = document[0].get_textpage()
        for word in made.words:
            left, top, right, bottom = (each * 72 / 200 for each in word.box)
            match = text.search(word.text, match_case=True, match_whole_word=False).get_next()
            boxes = [text.get_charbox(index, loose=True) for index in range(match[0], match[0] + match[1])]
            assert min(each[0] for each in boxes) == pytest.approx(left, abs=1.5)
            assert max(each[2] for each in boxes) == pytest.approx(right, abs=1.5)
            assert height - bottom <= min(each[1] for each in boxes) + 1
            assert max(each[3] for each in boxes) <= height - top + 1


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_lines_that_run_up_down_and_upside_down(page, tmp_path, turn):
    made = page(["Dear friend,"])
    (line,) = made.lines

    def turned(points):
        for _ in range(turn):
            points = [(600 - y, x) for x, y in points]
        return tuple(points)

    words = tuple(replace(word, polygon=turned(word.polygon)) for word in line.words)
    line = replace(line, polygon=turned(line.polygon), baseline=turned(line.baseline), words=words)
    made = replace(made, regions=(TextRegion((line,)),))
    assert found_by_pdftotext(made.save(tmp_path / "x.pdf")) == ["Dear friend,"]


def crowded(seed):
    """Columns, notes in the margin, a number that comes last, slanted lines that overlap."""
    chooser = random.Random(seed)
    lines = []
    for column in range(chooser.choice((1, 2, 3))):
        left, top = 60 + 330 * column, 60 + chooser.choice((0, 0, 17))
        slant = chooser.uniform(-0.03, 0.03)
        for number in range(chooser.randint(3, 9)):
            words, start = [], left + chooser.choice((0, 0, 20))
            for word in range(chooser.randint(1, 4)):
                end = start + chooser.randint(30, 80)
                high = top + slant * (start - left) + chooser.uniform(-4, 4)
                polygon = box(start, high - 30, end, high + 10)
                words.append(WrittenWord(f"w{column}{number}{word}", 0.9, polygon))
                start = end + chooser.choice((5, 10, 30))
            ends = (left, top), (end, top + slant * (end - left))
            outline = box(left, top - 30, end, top + 10)
            text = " ".join(word.text for word in words)
            lines.append(TextLine(text, 0.9, outline, ends, tuple(words)))
            top += chooser.randint(22, 50)
    for note in range(chooser.randint(0, 4)):
        left, top = chooser.choice((5, 700, 1000)), chooser.randint(20, 500)
        outline = box(left, top, left + 50, top + 40)
        lines.insert(chooser.randint(0, len(lines)), TextLine(f"note{note}", 0.9, outline))
    return lines


@pytest.mark.parametrize("turn", range(4))
def test_pdftotext_gives_crowded_pages_in_reading_order(tmp_path, turn):
    size = (1100, 600) if turn % 2 == 0 else (600, 1100)
    Image.new("L", size, 255).save(tmp_path / "x.png")
    for seed in range(12):
        lines = [turned_line(line, turn, 1100, 600) for line in crowded(seed)]
        page = Page((TextRegion(tuple(lines)),), *size, "a", str(tmp_path / "x.png"))
        found = found_by_pdftotext(page.save(tmp_path / "x.pdf"))
        assert found == [line.text for line in lines], seed


def turned_line(line, turn, width, height):
    def turned(points):
        sides = (width, height)
        for _ in range(turn):
            points = [(sides[1] - y, x) for x, y in points]
            sides = sides[::-1]
        return tuple(points)

    words = tuple(replace(word, polygon=turned(word.polygon)) for word in line.words)
    baseline = line.baseline or ((line.polygon[0][0], line.polygon[2][1]), line.polygon[2])
    return replace(line, polygon=turned(line.polygon), baseline=turned(baseline), words=words)


def test_lines_out_of_place_are_found_once_and_there_by_other_readers(page, tmp_path):
    made = page(["first line", "second line", "third line"])
    first, second, third = made.regions[0].lines
    path = replace(made, regions=(TextRegion((second, third, first)),)).save(tmp_path / "x.pdf")
    assert found_by_pdftotext(path) == ["second line", "third line", "first line"]
    words = " ".join(found_by_pdfium(path)).split()
    assert sorted(words) == ["first", "line", "line", "line", "second", "third"]


def test_several_pages_make_one_document(page, tmp_path):
    with open(tmp_path / "x.pdf", "wb") as file:
        writer("pdf", Page).write_all([page(["one"]), page(["two", "three"])], file)
    assert found_by_pdfium(tmp_path / "x.pdf") == ["one", "two", "three"]
    with pypdfium2.PdfDocument(tmp_path / "x.pdf") as document:
        assert len(document) == 2


def test_the_image_is_shown_and_the_text_is_not(tmp_path):
    grey = ramp(150, 200)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey).save(tmp_path / "a.jpg", quality=95, dpi=(72, 72))
    Image.fromarray(np.rot90(grey).copy()).save(tmp_path / "turned.jpg", exif=exif, quality=95, dpi=(72, 72))
    Image.fromarray(grey).convert("RGB").save(tmp_path / "c.png")
    Image.fromarray(grey).save(tmp_path / "t.tif", save_all=True, append_images=[Image.fromarray(grey[::-1])])
    write_pdf(tmp_path / "d.pdf", [grey, grey[::-1].copy()])
    for name, number, expected in [
        ("a.jpg", None, grey), ("turned.jpg", None, grey), ("c.png", None, grey),
        ("t.tif", 2, grey[::-1]), ("d.pdf", 2, grey[::-1]),
    ]:  # fmt: skip
        line = TextLine("text", 0.9, box(20, 20, 180, 130))
        page = Page((TextRegion((line,)),), 200, 150, "a", str(tmp_path / name), number)
        path = page.save(tmp_path / "out.pdf")
        assert found_by_pdfium(path) == ["text"]
        shown = read_image(page_of(path, 1)).pixels
        assert shown.shape == (150, 200) and np.abs(shown.astype(int) - expected).max() < 20
    stored = (tmp_path / "a.jpg").read_bytes()
    page = replace(page, source=str(tmp_path / "a.jpg"), number=None)
    assert stored in page.save(tmp_path / "out.pdf").read_bytes()


def test_ink_is_drawn(tmp_path):
    strokes = [[[0, 0], [100, 100]], [], [[100, 0], [0, 100]], [[50, 50]]]
    (tmp_path / "x.jsonl").write_text(json.dumps({"strokes": strokes}) + "\n")
    glyph = Glyph("x", 0.9, box(0, 0, 100, 100), (StrokeSpan(0, 0, 1), StrokeSpan(2, 0, 1)))
    line = TextLine("x", 0.9, words=(WrittenWord("x", 0.9, glyph.polygon, (glyph,)),))
    page = Page((TextRegion((line,)),), 100, 100, "a", str(tmp_path / "x.jsonl"), 1)
    path = page.save(tmp_path / "x.pdf")
    assert found_by_pdfium(path) == ["x"]
    drawn = read_image(pdf_pages(path, dpi=72)[0]).pixels
    assert drawn[300, 300] < 100 and drawn[150, 150] < 100 and drawn[300, 100] == 255

    strokes = [[[1000 + x, 1000 + y] for x, y in stroke] for stroke in strokes]
    (tmp_path / "x.jsonl").write_text(json.dumps({"strokes": strokes}) + "\n")
    line = TextLine("", 0.0, box(1000, 1000, 1100, 1100))
    page = replace(page, regions=(TextRegion((line,), line.polygon),))
    drawn = read_image(pdf_pages(page.save(tmp_path / "none.pdf"), dpi=72)[0]).pixels
    assert drawn[300, 300] < 100 and drawn[150, 150] < 100 and drawn[300, 100] == 255


def test_what_has_no_image_is_refused(page, tmp_path):
    with pytest.raises(MediaError, match="was not read from a file"):
        replace(page(LEFT), source=None).save(tmp_path / "x.pdf")
    with pytest.raises(MediaError, match="does not exist"):
        replace(page(LEFT), source=str(tmp_path / "gone.png")).save(tmp_path / "x.pdf")
    with pytest.raises(ValueError, match="quality is 0"):
        writer("pdf", Page, quality=0)
    assert not (tmp_path / "x.pdf").exists()


def test_a_page_without_text(page, tmp_path):
    assert found_by_pdfium(page([]).save(tmp_path / "x.pdf")) == []


def test_what_is_recognised_is_found(tmp_path):
    Image.fromarray(bars("ab ba")).save(tmp_path / "x.png")
    page = recognize(tmp_path / "x.png", BarReader())
    assert found_by_pdfium(page.save(tmp_path / "x.pdf")) == [page.text] == ["ab ba"]
