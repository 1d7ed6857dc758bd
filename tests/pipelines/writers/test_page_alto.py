"""Writers of pages: valid by the schemas, and everything that was written read back."""

import io
import json
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from pipelines.layout.given import read_layout
from pipelines.results import (
    Check,
    Glyph,
    Page,
    StrokeSpan,
    TextLine,
    TextRegion,
    WrittenWord,
)
from pipelines.writers import formats, save, writer
from pipelines.writers.page_alto import ALTO_SPACE, PAGE_KINDS, PAGE_SPACE

SCHEMAS = Path(__file__).parents[2] / "data" / "schemas"
SPACES = {"p": PAGE_SPACE, "a": ALTO_SPACE, "h": "http://www.w3.org/1999/xhtml"}
STRICT = etree.XMLParser(no_network=True, resolve_entities=False)
VOCABULARY = ["a", "lettre,", "R&D", '"so"', "l'été", "<b>", "שלום", "e\u0301te\u0301", "𝔊", "नमस्ते।"]
SEEDS = range(8)
XML_FORMATS = ["page", "alto", "hocr"]


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def make_page(seed: int) -> Page:
    """Regions of lines with words and glyphs; some have no place, no words, no id."""
    chance = random.Random(seed)
    regions, top = [], 10.4
    for number in range(chance.randrange(1, 4)):
        lines = []
        for _ in range(chance.randrange(0, 5)):
            words, left = [], 20.0
            for _ in range(chance.randrange(0, 6)):
                text, start = chance.choice(VOCABULARY), left
                glyphs = []
                for symbol in text:
                    place = box(left, top, left + 9.6, top + 30)
                    glyphs.append(Glyph(symbol, chance.random(), place if chance.random() < 0.8 else ()))
                    left += 9.6
                place = box(start, top, left, top + 30) if chance.random() < 0.8 else ()
                words.append(WrittenWord(text, chance.random(), place, tuple(glyphs)))
                left += 12
            text = " ".join(word.text for word in words)
            kept = tuple(words) if chance.random() < 0.8 else ()
            place = box(18, top - 2, left, top + 33) if chance.random() < 0.8 else ()
            baseline = ((20, top + 25), (200.5, top + 27), (left + 300, top + 24))
            name = f"line-{top:.0f}" if chance.random() < 0.5 else ""
            lines.append(TextLine(text, chance.random(), place, baseline, kept, name))
            top += 40
        kind = chance.choice([*PAGE_KINDS, "MainZone:column#1", "a {b};"])
        place = box(15, 5, 800, top) if chance.random() < 0.7 else ()
        regions.append(TextRegion(tuple(lines), place, kind, f"block{number}" if number else ""))
        top += 30
    return Page(tuple(regions), 1000, 1400, "small", "scans/été 01.jpg", chance.choice([None, 3]))


WORD = WrittenWord("one", 0.5, (), (Glyph("o", 0.5), Glyph("n", 0.5), Glyph("e", 0.5)))
HEBREW = TextLine("שלום עולם, Bob", 0.7, box(10, 10, 90, 30), ((10, 28), (90, 28)))


def page_of(*lines: TextLine, width: int = 50, height: int = 50) -> Page:
    return Page((TextRegion(lines),), width, height, "small")


HOSTILE = {
    "no regions": Page((), 100, 100, "small"),
    "no lines": page_of(),
    "an empty line": page_of(TextLine("", 0.0)),
    "no outlines at all": page_of(TextLine("one", 0.5, (), (), (WORD,))),
    "one point": Page((TextRegion((TextLine("x", 0.5, ((5, 5),), ((5, 5),)),), ((1, 1),)),), 50, 50, "small"),
    "a straight polygon": page_of(TextLine("x", 1, ((5, 5), (9, 5), (30, 5)))),
    "beyond the page": page_of(TextLine("x", 1, box(-50, -9, 900, 900), ((-5, 3), (0, 3), (900, 3)))),
    "wholly beyond": page_of(TextLine("x", 1, box(60, 60, 90, 90))),
    "endless": page_of(TextLine("x", 1, box(0, 0, float("inf"), 9))),
    "no size": page_of(TextLine("x", 1, box(0, 0, 9, 9), ((0, 5), (9, 5))), width=0, height=0),
    "control characters": Page(
        (TextRegion((TextLine("a\x00b\x0b\x1bc\ud800\ufffe", 1),), (), "k\x01"),), 9, 9, "s\x02", "x\x03.png"
    ),
    "markup": Page(
        (TextRegion((TextLine("</Unicode>&amp;\"'<!--]]>", 1),), (), '"<&>'),), 9, 9, "<m>&", 'a"b; c.jpg'
    ),
    "ids": Page(
        tuple(
            TextRegion((TextLine("x", 1, id=id), TextLine("x", 1, id=id)), id=id)
            for id in ("1", "r1", "", "a b", "a:b", "a_b", "é", "order", "page", "r1", "r1_l1")
        ),
        9, 9, "small",
    ),
    "confidences of rounding": page_of(TextLine("x", 1.0000001), TextLine("y", -1e-9)),
    "glyphs of no code point and of several": page_of(
        TextLine("e\u0301", 1, (), (), (WrittenWord("e\u0301", 1, (), (Glyph("", 1), Glyph("e\u0301", 1))),))
    ),
    "right to left": page_of(HEBREW, width=100),
}  # fmt: skip


def written(name: str, page: Page, **options) -> str:
    file = io.StringIO()
    writer(name, Page, **options).write(page, file)
    return file.getvalue()


@cache
def schema(name: str) -> etree.XMLSchema:
    file = {"page": "pagecontent.xsd", "alto": "alto-4-4.xsd"}[name]
    return etree.XMLSchema(etree.parse(SCHEMAS / file, STRICT))


def parsed(name: str, page: Page):
    """The tree, once it has been found valid."""
    text = written(name, page)
    tree = etree.fromstring(text.encode("utf-8"), STRICT)
    if name == "hocr":
        assert text.startswith("<!DOCTYPE html>")
        ids = tree.xpath("//@id")
        assert len(set(ids)) == len(ids)
        return tree
    assert schema(name).validate(tree), schema(name).error_log
    return tree


def find(tree, path: str) -> list:
    return tree.xpath(path, namespaces=SPACES)


def pairs(text: str) -> list[tuple[int, int]]:
    numbers = [int(number) for number in re.split("[ ,]", text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def share(confidence: float) -> str:
    return f"{min(max(confidence, 0), 1):.4f}"


def properties(element) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in element.get("title").split("; "))


@pytest.mark.parametrize("name", XML_FORMATS)
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pages_make_valid_files(name, case):
    page = HOSTILE[case]
    tree = parsed(name, page)
    texts = {
        "page": "//p:TextLine/p:TextEquiv/p:Unicode",
        "alto": "//a:TextLine",
        "hocr": "//h:span[@class='ocr_line']",
    }
    assert len(find(tree, texts[name])) == len(page.lines)
    width, height = max(page.width, 1), max(page.height, 1)
    outlines = [pairs(points) for points in find(tree, "//p:Coords/@points | //a:Polygon/@POINTS")]
    outlines += [pairs(properties(place)["poly"]) for place in find(tree, "//h:*[contains(@title, 'poly')]")]
    for outline in outlines:
        assert len(set(outline)) > 2
        assert all(0 <= x <= width and 0 <= y <= height for x, y in outline)
        (left, right), (top, bottom) = [(min(side), max(side)) for side in zip(*outline, strict=True)]
        assert left < right and top < bottom


CHECKS = [
    Check("Anna", "2026-11-28T19:45:00+00:00"),
    Check("", ""),
    Check("B. Ö. {x}; y: \\z \\u0041 '\"<&>", "2026-02-28T23:59:59.125-05:30"),
    Check("B. Ö. {x}; y: \\z \\u0041 '\"<&>", ""),
    Check("שרה", "2026-11-28T19:45:00Z"),
]


@pytest.mark.parametrize("name", ["page", "alto"])
@pytest.mark.parametrize("seed", SEEDS)
def test_lines_that_were_checked_are_known_again(name, seed, tmp_path):
    chance, page = random.Random(seed), make_page(seed)
    regions = []
    for region in page.regions:
        checks = [chance.choice([None, *CHECKS]) for _ in region.lines]
        pairs = zip(region.lines, checks, strict=True)
        regions.append(replace(region, lines=tuple(replace(line, checked=check) for line, check in pairs)))
    page = replace(page, regions=tuple(regions))
    parsed(name, page)  # is valid
    layout = read_layout(save(page, tmp_path / f"x.{name}"))
    assert [line.checked for line in layout.lines] == [line.checked for line in page.lines]
    kinds = [region.kind for region in layout.regions]
    assert name == "alto" or kinds == [region.kind for region in page.regions]


@pytest.mark.parametrize("name", ["page", "alto"])
def test_a_checked_line_is_certain_and_has_no_other_readings(name):
    line = TextLine("x", 0.25, alternatives=(("x", 0.75), ("y", 0.25)), checked=CHECKS[0])
    tree = parsed(name, page_of(line, replace(line, checked=None, alternatives=())))
    if name == "page":
        texts = [(each[0].text, each.get("conf")) for each in find(tree, "//p:TextLine/p:TextEquiv")]
        assert texts == [("x", "1.0000"), ("x", "0.2500")]
        assert find(tree, "//p:TextRegion/p:TextEquiv/@conf") == ["0.6250"]
    else:
        assert find(tree, "//@WC") == ["1.0000", "0.2500"]


@pytest.mark.parametrize("seed", SEEDS)
def test_page_xml_gives_back_what_was_written(seed):
    page = make_page(seed)
    tree = parsed("page", page)
    (body,) = find(tree, "p:Page")
    assert body.get("imageFilename") == "été 01.jpg"
    assert (body.get("imageWidth"), body.get("imageHeight")) == ("1000", "1400")
    regions = find(tree, "//p:TextRegion")
    assert find(tree, "//@regionRef") == [region.get("id") for region in regions]
    for element, region in zip(regions, page.regions, strict=True):
        assert element.get("type") == (region.kind if region.kind in PAGE_KINDS else "other")
        kind = re.search(r"structure {type:(.*?);}", element.get("custom"))[1]
        assert re.sub(r"\\u(....)", lambda code: chr(int(code[1], 16)), kind) == region.kind
    lines = find(tree, "//p:TextLine")
    for element, line in zip(lines, page.lines, strict=True):
        (text,) = find(element, "p:TextEquiv")
        assert (text[0].text or "", text.get("conf")) == (line.text, share(line.confidence))
        if line.id:
            assert element.get("id") == line.id
        if line.polygon:
            assert pairs(find(element, "p:Coords/@points")[0]) == [
                (round(x), round(y)) for x, y in line.polygon
            ]
        baseline = pairs(find(element, "p:Baseline/@points")[0])
        assert baseline == [(round(x), round(y)) for x, y in line.baseline]
    for tag, units in {
        "Word": page.words,
        "Glyph": [glyph for word in page.words for glyph in word.glyphs],
    }.items():
        found = [(e[0].text, e.get("conf")) for e in find(tree, f"//p:{tag}/p:TextEquiv")]
        assert found == [(unit.text, share(unit.confidence)) for unit in units]


@pytest.mark.parametrize("seed", SEEDS)
def test_alto_gives_back_what_was_written(seed):
    page = make_page(seed)
    tree = parsed("alto", page)
    labels = {tag.get("ID"): tag.get("LABEL") for tag in find(tree, "//a:OtherTag")}
    blocks = find(tree, "//a:TextBlock")
    assert [labels[block.get("TAGREFS")] for block in blocks] == [region.kind for region in page.regions]
    for element, line in zip(find(tree, "//a:TextLine"), page.lines, strict=True):
        strings = find(element, "a:String")
        assert " ".join(string.get("CONTENT") for string in strings) == line.text
        assert len(find(element, "a:SP")) == len(strings) - 1
        assert pairs(element.get("BASELINE")) == [(round(x), round(y)) for x, y in line.baseline]
        units = line.words or (line,)
        assert [string.get("WC") for string in strings] == [share(unit.confidence) for unit in units]
        for string, word in zip(strings, line.words, strict=False):
            glyphs = [(glyph.get("CONTENT"), glyph.get("GC")) for glyph in find(string, "a:Glyph")]
            assert glyphs == [(glyph.text, share(glyph.confidence)) for glyph in word.glyphs]
    for element in find(tree, "//a:*[@HPOS]"):
        left, top, width, height = (int(element.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
        assert 0 <= left <= left + width <= 1000 and 0 <= top <= top + height <= 1400
        for points in find(element, "a:Shape/a:Polygon/@POINTS"):
            across, down = zip(*pairs(points), strict=True)
            assert (min(across), min(down)) == (left, top)
            assert (max(across), max(down)) == (left + width, top + height)


@pytest.mark.parametrize("seed", SEEDS)
def test_hocr_gives_back_what_was_written(seed):
    page = make_page(seed)
    tree = parsed("hocr", page)
    assert len(find(tree, "//h:div[@class='ocr_carea']/h:p[@class='ocr_par']")) == len(page.regions)
    for element, line in zip(find(tree, "//h:span[@class='ocr_line']"), page.lines, strict=True):
        assert "".join(element.itertext()) == line.text
        facts = properties(element)
        assert float(facts["x_wconf"]) == pytest.approx(100 * line.confidence, abs=0.01)
        slope, offset = map(float, facts["baseline"].split())
        left, _, _, bottom = map(int, facts["bbox"].split())
        for x, y in line.baseline:
            assert bottom + slope * (min(x, 1000) - left) + offset == pytest.approx(y, abs=2.5)
        words = find(element, "h:span[@class='ocrx_word']")
        assert ["".join(word.itertext()) for word in words] == [word.text for word in line.words]
        signs = find(element, ".//h:span[@class='ocrx_cinfo']")
        glyphs = [glyph for word in line.words for glyph in word.glyphs]
        for sign, glyph in zip(signs, glyphs, strict=True):
            assert sign.text == glyph.text
            assert float(properties(sign)["x_confs"]) == pytest.approx(100 * glyph.confidence, abs=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_text_and_json_hold_everything(seed):
    page = make_page(seed)
    blocks = written("txt", page).split("\n\n")
    expected = ["\n".join(line.text for line in region.lines) for region in page.regions if region.lines]
    assert "\n\n".join(blocks) == "\n\n".join(expected) + "\n" * bool(expected)
    content = json.loads(written("json", page))
    assert (content["text"], content["number"]) == (page.text, page.number)
    lines = [line for region in content["regions"] for line in region["lines"]]
    for line, original in zip(lines, page.lines, strict=True):
        assert (line["text"], line["id"]) == (original.text, original.id)
        assert line["confidence"] == round(original.confidence, 4)
        assert line["baseline"] == [[round(x, 2), round(y, 2)] for x, y in original.baseline]
        for word, one in zip(line["words"], original.words, strict=True):
            assert word["polygon"] == [[round(x, 2), round(y, 2)] for x, y in one.polygon]
            assert [glyph["text"] for glyph in word["glyphs"]] == [glyph.text for glyph in one.glyphs]
    bare = json.loads(written("json", page, glyphs=False))
    assert all("glyphs" not in w for r in bare["regions"] for line in r["lines"] for w in line["words"])


@pytest.mark.parametrize("seed", SEEDS)
def test_hocr_boxes_hold_the_boxes_of_their_parts(seed):
    def bounds(element) -> list[int]:
        shown = properties(element)
        return [int(each) for each in (shown.get("bbox") or shown["x_bboxes"]).split()]

    tree = parsed("hocr", make_page(seed))
    parts = find(tree, "//h:*[@class='ocr_line' or @class='ocrx_word' or @class='ocrx_cinfo']")
    assert parts or not make_page(seed).lines
    for part in parts:
        (left, top, right, bottom), around = bounds(part), bounds(part.getparent())
        assert around[0] <= left and around[1] <= top and right <= around[2] and bottom <= around[3]


@pytest.mark.parametrize("ending", ["xml", "alto.xml"])
def test_layouts_name_the_image_as_seen_from_their_folder(tmp_path, ending):
    (tmp_path / "scans").mkdir()
    image = tmp_path / "scans/a b.png"
    Image.new("L", (50, 50)).save(image)
    page = replace(page_of(), source=str(image))
    seen = [save(page, tmp_path / folder / f"x.{ending}").read_text() for folder in ("scans", "out/deep")]
    assert 'imageFilename="a b.png"' in seen[0] or "<fileName>a b.png<" in seen[0]
    assert "../../scans/a b.png" in seen[1] and str(tmp_path) not in seen[1]


def test_right_to_left_lines_say_so_and_stay_in_logical_order():
    page = HOSTILE["right to left"]
    (line,) = find(parsed("page", page), "//p:TextLine[@readingDirection='right-to-left']")
    assert find(line, "p:TextEquiv/p:Unicode")[0].text == HEBREW.text
    (line,) = find(parsed("alto", page), "//a:TextLine[@BASEDIRECTION='rtl']")
    assert line.find("a:String", SPACES).get("CONTENT") == HEBREW.text
    (line,) = find(parsed("hocr", page), "//h:p[@dir='rtl']/h:span[@dir='rtl']")
    assert line.text == HEBREW.text
    words = tuple(WrittenWord(t, 1, box(*b)) for t, b in (("שלום", (60, 0, 90, 9)), ("עולם", (10, 0, 50, 9))))
    page = page_of(TextLine("שלום עולם", 1, box(0, 0, 99, 9), (), words), width=100)
    (space,) = find(parsed("alto", page), "//a:SP")
    assert (space.get("HPOS"), space.get("WIDTH")) == ("50", "10")


def test_ids_that_xml_allows_are_kept():
    ids = ["r2", "eSc_line_1", "_0-a.b", "r1", "r1_l1"]
    lines = tuple(TextLine("x", 1, id=id) for id in ids[2:])
    page = Page((TextRegion(()), TextRegion(lines, id=ids[0]), TextRegion((), id=ids[1])), 9, 9, "small")
    for name, path in {"page": "//p:TextLine/@id", "alto": "//a:TextLine/@ID"}.items():
        assert find(parsed(name, page), path) == ids[2:]
    assert find(parsed("page", page), "//p:TextRegion/@id")[1:] == ids[:2]


def test_ink_keeps_its_strokes_and_is_moved_to_the_page():
    spans = (StrokeSpan(0, 3, 17), StrokeSpan(2, 0, 5))
    word = WrittenWord("t", 0.9, (), (Glyph("t", 0.9, box(5010.2, -3, 5040, 77), spans),))
    line = TextLine("t", 0.9, box(5000.2, -3, 5060, 77), (), (word,))
    page = Page((TextRegion((line,)),), 60, 80, "pen", "x.inkml", 2)
    (glyph,) = find(parsed("page", page), "//p:Glyph")
    assert glyph.get("custom") == "strokes {spans:0/3-17 2/0-5;}"
    assert find(glyph, "p:Coords/@points") == ["10,0 40,0 40,80 10,80"]
    assert find(parsed("alto", page), "//a:Page/@PHYSICAL_IMG_NR") == ["2"]
    glyph = json.loads(written("json", page))["regions"][0]["lines"][0]["words"][0]["glyphs"][0]
    assert glyph["strokes"] == [{"stroke": 0, "first": 3, "last": 17}, {"stroke": 2, "first": 0, "last": 5}]
    assert glyph["polygon"][0] == [5010.2, -3.0]


@pytest.mark.parametrize("name", ["page", "alto", "hocr", "json"])
def test_what_is_no_number_is_refused(name):
    nan = float("nan")
    for line in (TextLine("x", nan), TextLine("x", 1, box(0, nan, 9, 9))):
        with pytest.raises(ValueError):
            written(name, page_of(line))


@pytest.mark.parametrize(
    ("ending", "mark"),
    [
        ("xml", "<PcGts"),
        ("page.xml", "<PcGts"),
        ("XML", "<PcGts"),
        ("final.xml", "<PcGts"),
        ("alto.xml", "<alto"),
        ("alto", "<alto"),
        ("hocr", "ocr_page"),
        ("html", "ocr_page"),
        ("json", '"regions"'),
        ("txt", HEBREW.text),
    ],
)
def test_the_ending_picks_the_format(tmp_path, ending, mark):
    path = HOSTILE["right to left"].save(tmp_path / f"letter.{ending}")
    assert mark in path.read_text(encoding="utf-8")


def test_unknown_formats_are_answered_with_the_choices_of_the_type(tmp_path):
    page = HOSTILE["no lines"]
    with pytest.raises(ValueError, match="no format 'srt'.*choose from page, xml.*alto.*hocr.*txt, json"):
        save(page, tmp_path / "letter.srt")
    with pytest.raises(ValueError, match="'hcor', did you mean 'hocr'"):
        writer("hcor", Page)
    with pytest.raises(ValueError, match="no ending"):
        save(page, tmp_path / "letter")
    with pytest.raises(ValueError, match="json has no option 'glyph', did you mean 'glyphs'"):
        writer("json", Page, glyph=False)
    with pytest.raises(ValueError, match="glyphs is 1"):
        writer("json", Page, glyphs=1)
    with pytest.raises(TypeError, match="no formats for dict"):
        save({}, tmp_path / "letter.txt")
    assert {kind.extension for kind in formats(Page).values()} <= set(formats(Page))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ending", ["xml", "alto.xml"])
def test_our_own_reader_takes_them(tmp_path, seed, ending):
    page = make_page(seed)
    layout = read_layout(page.save(tmp_path / f"page.{ending}"))
    assert (layout.image, layout.width, layout.height) == ("été 01.jpg", 1000, 1400)
    assert len(layout.regions) == len(page.regions)
    for found, region in zip(layout.regions, page.regions, strict=True):
        assert found.id == region.id or not region.id
        for line, original in zip(found.lines, region.lines, strict=True):
            assert line.text == original.text
            assert line.shape.baseline == tuple((round(x), round(y)) for x, y in original.baseline)
