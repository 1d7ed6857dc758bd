"""The page of results: what it holds; how it looks and what it does, tests/pipelines/correcting has."""

import base64
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from lxml import html
from PIL import Image

from pipelines.results import (
    Actions,
    ActionSegment,
    Caption,
    CaptionWord,
    Check,
    Classified,
    ClassifiedText,
    Glyph,
    Page,
    Segment,
    Sentence,
    StrokeSpan,
    TextLine,
    TextRegion,
    Transcript,
    Word,
    WrittenWord,
)
from pipelines.writers import views as module
from pipelines.writers.results_page import Entry, names_of, write_results_page
from tests.data.media import tone, write_audio
from tests.data.pictures import ramp, write_pdf

CHECK = Check("Ada", "2026-11-28T12:00:00+00:00")


def transcript(*words: tuple[str, float]) -> Transcript:
    numbered = enumerate(words)
    placed = tuple(Word(text, 0.5 * place, 0.5 * place + 0.4, share) for place, (text, share) in numbered)
    text = " ".join(word.text for word in placed)
    segment = Segment(text, 0.0, 0.5 * len(placed), 0.9, placed)
    missing = Segment("never said", 0.0, 0.0, 0.0, found=False)
    return Transcript((segment, missing), 90.0, "small")


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def page_of(*lines: TextLine, size=(300, 200)) -> Page:
    return Page((TextRegion(lines),), *size, "small")


def items_of(path: Path, *entries: Entry, **options) -> list[dict]:
    """What a page holds, having checked that it asks for nothing from elsewhere."""
    text = write_results_page(path, entries, **options).read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text) and "import(" not in text
    tree = html.fromstring(text)
    assert len(tree.xpath("//script")) == 2
    return json.loads(tree.xpath("//script[@id='data']")[0].text)["items"]


def test_words_carry_time_and_confidence(tmp_path):
    source = write_audio(tmp_path / "a.wav", tone(0.2))
    result = transcript(("sure", 0.95), ("</script><b>", 0.2))
    (item,) = items_of(tmp_path / "index.html", Entry(source, result, None))
    said, missing = item["lines"]
    assert said["w"] == [["sure", 0.95, 0.0, 0.4], ["</script><b>", 0.2, 0.5, 0.9]]
    assert (missing["t"], missing["w"], missing["missing"]) == ("never said", [], True)
    assert (item["name"], item["player"], item["seconds"], item["model"]) == ("a.wav", "audio", 90.0, "small")
    assert item["confidence"] == 0.575 and item["task"] == "speech" and item["state"] == "done"


def test_failed_files_come_last_with_their_error(tmp_path):
    source = write_audio(tmp_path / "a.wav", tone(0.2))
    bad = Entry(tmp_path / "b<.wav", None, "b<.wav: is empty; record it again")
    passed = Entry(tmp_path / "c.doc", None, "no task reads it", state="passed over")
    items = items_of(
        tmp_path / "index.html", bad, passed, Entry(source, transcript(("one", 0.9)), None), title="A & B"
    )
    assert [(item["name"], item["state"]) for item in items] == [
        ("a.wav", "done"), ("b<.wav", "failed"), ("c.doc", "passed over")
    ]  # fmt: skip
    assert items[1]["error"] == "b<.wav: is empty; record it again"
    assert "A &amp; B" in (tmp_path / "index.html").read_text()


def test_long_recordings_and_outputs_are_linked(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    short = write_audio(tmp_path / "in" / "short.wav", tone(0.1))
    long = write_audio(tmp_path / "in" / "50% long #1.wav", tone(1.0))
    monkeypatch.setattr(module, "EMBEDDED", 10_000)
    outputs = (tmp_path / "out" / "x y.srt",)
    entries = [Entry(source, transcript(("one", 0.9)), None, outputs) for source in (short, long)]
    items = items_of(tmp_path / "out" / "index.html", *entries)
    assert items[0]["media"].startswith("data:audio/wav;base64,")
    assert items[1]["media"] == "../in/50%25%20long%20%231.wav"
    assert [item["outputs"] for item in items] == [[["srt", "x%20y.srt"]]] * 2
    items = items_of(tmp_path / "out" / "index.html", *entries, embed=False)
    assert items[0]["media"] == "../in/short.wav"


def test_the_page_stays_of_bounded_size(tmp_path, monkeypatch):
    sources = [write_audio(tmp_path / f"{number}.wav", tone(0.1)) for number in range(4)]
    monkeypatch.setattr(module, "ROOM", 2.5 * sources[0].stat().st_size)
    entries = [Entry(source, transcript(("one", 0.9)), None) for source in sources]
    items = items_of(tmp_path / "index.html", *entries)
    assert [item["media"].startswith("data:") for item in items] == [True, True, False, False]


def test_names_that_are_not_unicode_and_empty_transcripts(tmp_path):
    source = tmp_path / "caf\udce9.wav"
    entry = Entry(source, Transcript((), 1.0, "small"), None)
    (item,) = items_of(tmp_path / "index.html", entry, embed=False)
    assert item["name"] == "caf?.wav" and item["lines"] == [] and item["confidence"] is None
    assert "media" not in item


def test_names_are_paths_below_what_all_have_in_common():
    assert names_of([Path("/a/b/x.wav"), Path("/a/c/d/x.wav")]) == ["b/x.wav", "c/d/x.wav"]
    assert names_of([]) == []


def test_a_picture_and_its_words_know_each_other(tmp_path):
    source = tmp_path / "wide.png"
    Image.fromarray(np.tile(ramp(100, 100), (20, 30))).save(source)
    line = TextLine("<one> two", 0.8, box(5, 5, 900, 90), ((5, 80), (900, 80)))
    words = (WrittenWord("<one>", 0.95, box(5, 5, 400, 90)), WrittenWord("two", 0.3))
    page = page_of(replace(line, words=words), line, size=(3000, 2000))
    (item,) = items_of(tmp_path / "index.html", Entry(source, page, None))
    with Image.open(
        io.BytesIO(base64.b64decode(item["image"].removeprefix("data:image/jpeg;base64,")))
    ) as it:
        assert (it.format, it.size) == ("JPEG", (1400, 933))
    assert item["view"] == [0, 0, 3000, 2000] and item["extent"] == "2 lines"
    first, second = item["lines"]
    assert (first["p"], first["b"]) == ("5,5 900,5 900,90 5,90", "5,80 900,80")
    assert first["w"] == [["<one>", 0.95, "5,5 400,5 400,90 5,90"], ["two", 0.3, ""]]
    assert second["w"] == [["<one> two", 0.8, "5,5 900,5 900,90 5,90"]]


def test_links_to_layouts_name_their_format(tmp_path):
    outputs = tuple(tmp_path / f"x.{ending}" for ending in ("xml", "alto.xml", "txt"))
    (item,) = items_of(tmp_path / "p.html", Entry(tmp_path / "x.png", page_of(), None, outputs))
    assert [name for name, _ in item["outputs"]] == ["PAGE", "ALTO", "txt"]
    assert "does not exist" in item["note"] and "image" not in item


def test_ink_is_drawn_in_a_colour_a_character(tmp_path):
    source = tmp_path / "pen.jsonl"
    strokes = [[[0, 0], [10, 20], [20, 0]], [[30, 0], [40, 20]]]
    source.write_text(json.dumps({"strokes": strokes}) + "\n" + json.dumps({"strokes": strokes[:1]}))
    glyphs = (Glyph("v", 0.9, (), (StrokeSpan(0, 0, 2),)), Glyph("i", 0.9, (), (StrokeSpan(1, 0, 1),)))
    word = WrittenWord("vi", 0.9, (), glyphs)
    page = replace(page_of(TextLine("vi", 0.9, (), (), (word,))), number=1)
    entries = [Entry(source, page, None, part=1), Entry(source, replace(page, regions=()), None, part=2)]
    one, two = items_of(tmp_path / "index.html", *entries, embed=False)
    drawing = html.fromstring((tmp_path / one["image"]).read_text())
    drawn = [(p.get("stroke"), p.get("points")) for p in drawing.xpath("//polyline")]
    assert drawn[2:] == [("#14598c", "0,0 10,20 20,0"), ("#b3261e", "30,0 40,20")]
    assert {stroke for stroke, _ in drawn[:2]} == {"#8d8b84"}
    assert one["lines"][0]["w"] == [["vi", 0.9, "", ["v", "i"]]]
    assert len(html.fromstring((tmp_path / two["image"]).read_text()).xpath("//polyline")) == 1
    assert [item["part"] for item in (one, two)] == [1, 2]


def test_pages_without_pictures_still_show_their_text(tmp_path, monkeypatch):
    line = TextLine("one", 0.8, box(5, 5, 90, 90))
    Image.fromarray(ramp(50, 50)).save(tmp_path / "there.png")
    monkeypatch.setattr(module, "ROOM", 100)
    items = items_of(
        tmp_path / "index.html",
        Entry(tmp_path / "gone.png", page_of(line), None),
        Entry(tmp_path / "there.png", page_of(line), None),
    )
    assert not [item for item in items if "image" in item]
    assert "gone.png: does not exist" in items[0]["note"]
    assert items[1]["note"] == "left out to keep this page small"


def test_images_are_linked_as_they_are_or_made_once(tmp_path):
    """What browsers show is linked; of what they do not, and of what is large, there are made images."""
    folder, made = tmp_path / "in", tmp_path / "out" / ".triscribe" / "images"
    folder.mkdir()
    small, large, turned, scan, pdf = (
        folder / name for name in ("s.png", "l.jpg", "t.jpg", "x.tif", "d.pdf")
    )
    noise = np.random.default_rng(0).integers(0, 256, (900, 1200), dtype=np.uint8)
    Image.fromarray(ramp(40, 60)).save(small)
    Image.fromarray(noise).save(large)
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(ramp(40, 60)).save(turned, exif=exif)
    Image.fromarray(ramp(40, 60)).save(scan)
    write_pdf(pdf, [ramp(60, 60)])
    entries = [Entry(path, page_of(), None) for path in (small, large, turned, scan)]
    entries.append(Entry(pdf, replace(page_of(), number=1), None, part=1))
    page = tmp_path / "out" / "index.html"
    items = items_of(page, *entries, embed=False)
    images = [os.path.normpath(page.parent / item["image"]) for item in items]
    assert images[:2] == [str(small), str(large)]
    assert all(Path(image).parent == made for image in images[2:])
    assert items[0]["small"] == items[0]["image"] and items[1]["small"] != items[1]["image"]
    with Image.open(page.parent / items[1]["small"]) as it:
        assert it.size == (320, 240)
    with Image.open(images[2]) as it:
        assert it.size == (40, 60)
    times = {path.name: path.stat().st_mtime_ns for path in made.iterdir()}
    assert items_of(page, *entries, embed=False) == items
    assert {path.name: path.stat().st_mtime_ns for path in made.iterdir()} == times
    items_of(page, entries[0], embed=False)
    assert list(made.iterdir()) == []


def test_what_is_checked_is_shown_as_checked(tmp_path):
    done, checked = TextLine("one", 0.8), TextLine("two", 1.0, checked=CHECK)
    source = tmp_path / "gone.png"
    pages = [page_of(*lines) for lines in ([done, done], [done, checked], [checked, checked])]
    items = items_of(tmp_path / "index.html", *(Entry(source, page, None) for page in pages))
    assert [item["state"] for item in items] == ["done", "edited", "checked"]
    assert [item["checked"] for item in items] == [0, 1, 2]
    assert items[1]["lines"][1]["k"] == [CHECK.by, CHECK.when]


def test_actions_and_captions(tmp_path):
    clip = tmp_path / "gone.mp4"
    watched = Actions((("fall", 0.75), ("rise", 0.25)), (ActionSegment("fall", 0.0, 2.0, 0.75),), 2.0, "act")
    words = (CaptionWord("a", 0.9), CaptionWord("heart", 0.5))
    told = Caption((Sentence("a heart", 0.7, words, (("a circle", 0.2),)),), 0.0, "cap")
    one, two = items_of(
        tmp_path / "index.html", Entry(clip, watched, None), Entry(tmp_path / "gone.png", told, None)
    )
    assert one["top"] == [["fall", 0.75], ["rise", 0.25]] and one["seconds"] == 2.0
    assert one["lines"] == [{"c": 0.75, "w": [["fall", 0.75]], "s": 0.0, "e": 2.0}]
    assert two["lines"] == [{"c": 0.7, "w": [["a", 0.9], ["heart", 0.5]], "a": [["a circle", 0.2]]}]


def test_what_is_not_corrected_here_is_still_shown(tmp_path):
    texts = (ClassifiedText("good", (("praise", 0.9),)), ClassifiedText("hm", (("blame", 0.3),), False))
    found = Classified(texts, "m", str(tmp_path / "a.txt"))
    (item,) = items_of(tmp_path / "index.html", Entry(tmp_path / "a.txt", found, None))
    assert [line["w"] for line in item["lines"]] == [[["praise", 0.9], ["good"]], [["?", 0.3], ["hm"]]]
    assert item["fixed"] and item["confidence"] == 0.6
