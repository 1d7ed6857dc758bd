"""Layouts of handwriting and ink: what becomes an item, what is turned away and why."""

import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipelines.errors import DataError
from pipelines.layout.lines import cut_line
from pipelines.media.images import read_image
from pipelines.media.ink import read_ink as read_pieces
from recipes.data.datasets import hold_out, read_handwriting, read_ink
from tests.data.layouts import alto_xml, level_lines, page_xml

needs_data = pytest.mark.skipif("TRISCRIBE_DATA" not in os.environ, reason="TRISCRIBE_DATA is not set")


def image(path: Path, size=(400, 300)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, 200).save(path)
    return path


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(manifest):
    return [(item.path.name, item.target, item.split, item.group) for item in manifest.items]


def reasons(manifest):
    return {bad.path: bad.reason for bad in manifest.rejected}


def test_labels(tmp_path):
    for name in "abcd":
        image(tmp_path / f"lines/{name}.webp")
    table = 'lines/a.webp\tone  "1"\ttrain\r\nlines/b.webp\ttwo\tval\nlines/c.webp\tthree\n\nlines/d.webp\n'
    table += "lines/d.webp\tfour\tsome\nlines/e.webp\tfive\ttest\nlines/d.webp\tx\ttest\ty\n"
    table += "lines/a.webp\t1\ttest\n"
    write(tmp_path / "labels.tsv", table.encode() + b"lines/d.webp\t\xff\n")
    manifest = read_handwriting(tmp_path)
    assert manifest.layout == "labels"
    assert rows(manifest) == [
        ("a.webp", 'one "1"', "train", None),
        ("b.webp", "two", "valid", None),
        ("c.webp", "three", None, None),
    ]
    assert reasons(manifest) == {
        "labels.tsv:5": "not path, text, split (columns: 1)",
        "labels.tsv:6": "unknown split 'some'",
        "lines/e.webp": "no such file",
        "labels.tsv:8": "not path, text, split (columns: 4)",
        "lines/a.webp": "listed twice, with another text; kept in train",
        "labels.tsv:10": "not UTF-8 (byte 13 of the line)",
    }
    assert rows(read_handwriting(tmp_path / "labels.tsv")) == rows(manifest)


def test_labels_with_a_header(tmp_path):
    image(tmp_path / "a.png")
    write(tmp_path / "labels.tsv", "Text\tWriter\tPath\tSplit\nשלום\tanna\ta.png\tdev\n")
    assert rows(read_handwriting(tmp_path)) == [("a.png", "שלום", "valid", "anna")]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("labels.csv", '\ufefffile name;transcription\r\na.png;one, two\r\nb.png;"x;y"\r\ngone.png;z\r\n'),
        ("metadata.csv", 'file_name,text\na.png,"one, two"\nlines/b.png,x;y\ngone.png,z\n'),
        ("train.tsv", "Image\tLabel\na.png\tone, two\nold/place/b.png\tx;y\ngone.png\tz\n"),
    ],
)
def test_other_tables_that_name_their_columns(tmp_path, name, table):
    image(tmp_path / "a.png")
    image(tmp_path / "lines/b.png")
    write(tmp_path / name, table)
    manifest = read_handwriting(tmp_path)
    split = "train" if name == "train.tsv" else None
    assert rows(manifest) == [("a.png", "one, two", split, None), ("b.png", "x;y", split, None)]
    assert reasons(manifest) == {"gone.png": "no such file"}
    assert rows(read_handwriting(tmp_path / name)) == rows(manifest)


def test_a_table_that_names_no_text_is_no_layout(tmp_path):
    image(tmp_path / "a.png")
    write(tmp_path / "labels.csv", "image,width\na.png,100\n")
    with pytest.raises(DataError, match="no data set recognised"):
        read_handwriting(tmp_path)


def test_line_images(tmp_path):
    names = (
        "train/1.png",
        "train/2.bin.png",
        "dev/3.nrm.png",
        "test/4.JPG",
        "5.tif",
        "6.webp",
        "7.png",
        "7.bin.png",
    )
    for name in names:
        image(tmp_path / name)
    for stem in ("train/1", "train/2", "dev/3", "test/4"):
        write(tmp_path / f"{stem}.gt.txt", f"text {stem[-1]}\n")
    write(tmp_path / "train/1.txt", "recognised by another program")
    write(tmp_path / "5.txt", "text 5")
    write(tmp_path / "7.gt.txt", "text 7")
    manifest = read_handwriting(tmp_path)
    assert manifest.layout == "images"
    assert sorted(rows(manifest)) == [
        ("1.png", "text 1", "train", None),
        ("2.bin.png", "text 2", "train", None),
        ("3.nrm.png", "text 3", "valid", None),
        ("4.JPG", "text 4", "test", None),
        ("5.tif", "text 5", None, None),
        ("7.png", "text 7", None, None),
    ]
    assert reasons(manifest).keys() == {"6.webp", "7.bin.png", "train/1.txt"}


def test_pages_and_lines_in_one_tree(tmp_path):
    image(tmp_path / "train/p1.jpg")
    write(tmp_path / "train/p1.txt", "all text of the page: no line's")
    write(tmp_path / "train/page/p1.xml", page_xml(level_lines("one", " ", "three"), "p1.jpg"))
    write(tmp_path / "train/alto/p1.xml", alto_xml(level_lines("uno"), "p1.jpg"))
    image(tmp_path / "valid/p2.png")
    write(tmp_path / "valid/p2.xml", alto_xml(level_lines("two & zwei"), "C:\\scans\\other name.tif"))
    image(tmp_path / "test/line.png")
    write(tmp_path / "test/line.gt.txt", "a line")
    image(tmp_path / "turned.png", (300, 400))
    write(tmp_path / "turned.xml", alto_xml(level_lines("of another image"), "turned.png"))
    image(tmp_path / "small.png", (200, 150))
    write(tmp_path / "small.xml", page_xml(level_lines("four"), "small.png"))
    write(tmp_path / "lost.xml", page_xml(level_lines("five"), "lost.png"))
    write(tmp_path / "bare.xml", page_xml([], "turned2.png"))
    write(tmp_path / "mets.xml", "<mets/>")
    image(tmp_path / "torn.png")
    write(tmp_path / "torn.txt", "its page's text")
    write(tmp_path / "torn.xml", page_xml(level_lines("six"))[:300])
    manifest = read_handwriting(tmp_path)
    assert sorted(rows(manifest)) == [
        ("line.png", "a line", "test", None),
        ("p1.jpg", "uno", "train", "p1"),
        ("p2.png", "two & zwei", "valid", "p2"),
        ("small.png", "four", None, "small"),
    ]
    found = reasons(manifest)
    assert found.pop("torn.xml").startswith("is not well-formed XML")
    assert found == {
        "train/page/p1.xml": "the image's lines are taken from train/alto/p1.xml",
        "turned.xml": "is of an image of 400 x 300 pixels, not 300 x 400",
        "lost.png": "no such file",
        "bare.xml": "no text lines",
        "mets.xml": "is XML, but of <mets>",
    }


def test_baselines_are_preferred_where_two_files_give_the_lines_of_one_image(tmp_path):
    image(tmp_path / "p1.jpg")
    boxes = re.sub(r' BASELINE="[^"]*"', "", alto_xml(level_lines("boxes"), "p1.jpg"))
    write(tmp_path / "alto/p1.xml", boxes)
    write(tmp_path / "page/p1.xml", page_xml(level_lines("lines"), "p1.jpg"))
    manifest = read_handwriting(tmp_path)
    assert rows(manifest) == [("p1.jpg", "lines", None, "p1")]
    assert reasons(manifest) == {"alto/p1.xml": "the image's lines are taken from page/p1.xml"}


@pytest.mark.parametrize(
    ("file", "stated", "where"),
    [
        ("xml/a.xml", "../images/a.png", "images/a.png"),  # relative to the layout file
        ("GT-PAGE/P_1.xml", "IMG/I_1.png", "IMG/I_1.png"),  # OCR-D: relative to the folder of mets.xml
        ("deep/er/page/a.xml", "a.png", "deep/er/a.png"),
        ("a.page.xml", "renamed.tif", "a.png"),
    ],
)
def test_where_the_image_of_a_layout_lies(tmp_path, file, stated, where):
    image(tmp_path / where)
    write(tmp_path / file, page_xml(level_lines("one"), stated))
    (item,) = read_handwriting(tmp_path).items
    assert item.path == tmp_path / where


def test_one_unusable_line_does_not_cost_its_page(tmp_path):
    image(tmp_path / "a.png")
    bad = [("", "", "nowhere"), ("5,5", "", "a point"), ("9000,5 9100,5", "", "off the page")]
    write(tmp_path / "a.xml", page_xml([*level_lines("one", "two"), *bad], "a.png"))
    os.symlink(tmp_path / "nothing.xml", tmp_path / "dangling.xml")
    manifest = read_handwriting(tmp_path)
    assert [item.target for item in manifest.items] == ["one", "two"]
    found = reasons(manifest)
    assert found.keys() == {"a.xml (l2)", "a.xml (l3)", "a.xml (l4)", "dangling.xml"}
    assert found["a.xml (l4)"] == "line 'l4' lies off the page"
    assert re.fullmatch(r"is a link to .*nothing.xml, which does not exist", found["dangling.xml"])


@pytest.mark.parametrize("size", [(400, 300), (400, 392)], ids=["oblong", "nearly square"])
def test_a_layout_of_stored_pixels_is_turned_with_its_image(tmp_path, size):
    """EXIF orientation 6: the stored image is shown turned by 90 degrees to the right."""
    upright = np.full((size[0], size[1]), 230, np.uint8)
    upright[95:105, 30:280] = 20  # a stroke that is a line on the upright page
    stored = Image.fromarray(np.rot90(upright).copy())
    exif = Image.Exif()
    exif[0x0112] = 6
    stored.save(tmp_path / "a.png", exif=exif)
    across, left, right = 105, size[1] - 280, size[1] - 30  # stored: x is down the page, y runs to its left
    outline = f"{across - 25},{left} {across + 8},{left} {across + 8},{right} {across - 25},{right}"
    line = (f"{across},{right} {across},{left}", outline, "ink")
    write(tmp_path / "a.xml", page_xml([line], "a.png", size))
    (item,) = read_handwriting(tmp_path).items
    assert np.allclose(item.shape.baseline, [(30, 105), (280, 105)])
    cut = cut_line(read_image(tmp_path / "a.png").pixels, item.shape).pixels
    assert cut.shape[1] > 4 * cut.shape[0] and (cut < 60).any(axis=0).mean() > 0.9


def test_lines_of_a_page(tmp_path):
    page = np.full((300, 400), 200, np.uint8)
    for row in range(3):
        cv2.putText(page, "ink" * (row + 1), (40, 50 * row + 48), cv2.FONT_HERSHEY_SIMPLEX, 1, 30, 2)
    for name in ("a", "b", "c"):
        Image.fromarray(page).save(tmp_path / f"{name}.png")
        write(tmp_path / f"{name}.xml", page_xml(level_lines("ink", "", "inkinkink", "ink"), f"{name}.png"))
    manifest = read_handwriting(tmp_path)
    assert reasons(manifest) == {f"{name}.xml (l1)": "no text" for name in "abc"}
    cuts = [cut_line(page, item.shape, item.line_distance).pixels for item in manifest.items]
    dark = [(cut < 100).sum() for cut in cuts]
    assert [item.shape.id for item in manifest.items] == ["l0", "l2", "l3"] * 3
    assert 2.5 < dark[1] / dark[0] < 3.5 and dark[2] == 0
    assert {item.line_distance for item in manifest.items} == {50.0}
    train, valid = hold_out(manifest, 0.3)
    assert len(valid) == 3 and not {item.path for item in train} & {item.path for item in valid}


def test_folders_without_handwriting_say_what_was_looked_for(tmp_path):
    write(tmp_path / "mets.xml", "<mets/>")
    with pytest.raises(DataError, match="labels.tsv.*PAGE XML or ALTO.*found 1 .xml"):
        read_handwriting(tmp_path)
    with pytest.raises(DataError, match="strokes.*found 1 .xml"):
        read_ink(tmp_path)


def ink_line(**fields) -> str:
    return json.dumps({"strokes": [[[0, 0], [1, 2]], [[3, 1], [4, 4]]], **fields}) + "\n"


LISTS = {
    "lines.txt": "#--- form\na01-00 ok 154 19 40 7 16 89 A|cat|,|in|!\na01-01 err 154 19 40 7 16 89 so\n",
    "train.txt": "a01-00 A <space> c a t\na01-01 s o\n",
    "gt_train.txt": "a01-00.png A cat, in!\na01-01.png so\n",
    "rec.lst": "imgs/a01-00.png\tA cat, in!\nimgs/a01-01.png\tso\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_images_and_texts(tmp_path, name):
    for image in ("a01-00", "a01-01"):
        write(tmp_path / f"imgs/{image}.png", b"")
        Image.new("L", (60, 30)).save(tmp_path / f"imgs/{image}.png")
    missing = "a01-09\tx\n" if name == "rec.lst" else ""
    write(tmp_path / name, LISTS[name] + missing)
    write(tmp_path / "notes.txt", "Nothing of this names an image.")
    manifest = read_handwriting(tmp_path)
    assert manifest.layout == "lists"
    split = "train" if "train" in name else None
    group = "a01-00" if name == "lines.txt" else None
    text = "A cat" if name == "train.txt" else "A cat, in!"
    assert rows(manifest)[0] == ("a01-00.png", text, split, group)
    assert [item.target for item in manifest.items] == [text, "so"]
    if missing:
        assert "no image of the name a01-09" in reasons(manifest)["rec.lst:3"]
    assert len(read_handwriting(tmp_path / name).items) == 2


def test_words_of_iam_that_are_cut_out_wrongly_are_left_out(tmp_path):
    for image in ("a01-000u-00-00", "a01-000u-00-01"):
        write(tmp_path / f"words/{image}.png", b"")
        Image.new("L", (60, 30)).save(tmp_path / f"words/{image}.png")
    head = "a01-000u-00-0"
    words = f"{head}0 ok 154 408 768 27 51 AT A\n{head}1 err 154 507 766 213 48 NN MOVE\n"
    write(tmp_path / "ascii/words.txt", words)
    manifest = read_handwriting(tmp_path)
    assert rows(manifest) == [(f"{head}0.png", "A", None, "a01-000u")]
    assert "cut out wrongly" in reasons(manifest)["ascii/words.txt:2"]


def test_ink(tmp_path):
    lines = ink_line(label="a", writer=7) + ink_line() + "\n" + ink_line(label="b c", writer="x")
    write(tmp_path / "greek-train.jsonl.gz", gzip.compress(lines.encode()))
    write(tmp_path / "latin-test.jsonl", ink_line(label="d"))
    write(
        tmp_path / "dev/e.inkml", '<ink><annotation type="truth">e</annotation><trace>0 0, 1 1</trace></ink>'
    )
    write(tmp_path / "torn.jsonl", ink_line(label="f") + '{"strokes": [')
    write(tmp_path / "speech.jsonl", '{"audio_filepath": "x.wav", "text": "x"}')
    manifest = read_ink(tmp_path)
    assert manifest.layout == "ink"
    assert sorted((*row, item.index) for row, item in zip(rows(manifest), manifest.items, strict=True)) == [
        ("e.inkml", "e", "valid", None, 0),
        ("greek-train.jsonl.gz", "a", "train", "7", 0),
        ("greek-train.jsonl.gz", "b c", "train", "x", 2),
        ("latin-test.jsonl", "d", "test", None, 0),
        ("torn.jsonl", "f", None, None, 0),
    ]
    for item in manifest.items:
        assert read_pieces(item.path)[item.index].label == item.target
    found = reasons(manifest)
    assert found["greek-train.jsonl.gz:2"] == "no label"
    assert "not JSON" in found["torn.jsonl:2"] and "strokes" in found["speech.jsonl:1"] and len(found) == 3


@needs_data
def test_real_sets_have_the_counts_of_their_descriptions():
    root = Path(os.environ["TRISCRIBE_DATA"])
    for place, counts in (
        ("handwriting/peraire-fr", {"train": 2025, "valid": 247, "test": 262}),
        ("handwriting/pages", {"train": 1001, "test": 279}),
    ):
        manifest = read_handwriting(root / place)
        assert Counter(item.split for item in manifest.items) == counts and not manifest.rejected
    manifest = read_ink(root / "ink/omniglot")
    assert Counter(item.split for item in manifest.items) == {"train": 800, "test": 200}


def test_ink_of_which_a_stroke_cannot_be_read_is_no_example(tmp_path):
    label = '<annotation type="truth">x</annotation>'
    groups = f"<traceGroup>{label}<trace>0 0, 1 1</trace></traceGroup>"
    groups += f"<traceGroup>{label}<trace>0 0, 1 1</trace><trace>0 y</trace></traceGroup>"
    write(tmp_path / "a.inkml", f'<ink xmlns="http://www.w3.org/2003/InkML">{groups}</ink>')
    manifest = read_ink(tmp_path)
    assert [item.index for item in manifest.items] == [0]
    assert "left out: point 1 of trace 3 has 'y', not a number" in reasons(manifest)["a.inkml:2"]
