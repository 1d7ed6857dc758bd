"""Layout files: what PAGE and ALTO say is read as they mean it; hostile ones give one clear error."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.errors import MediaError
from pipelines.layout.fitting import fitted
from pipelines.layout.given import is_layout, read_layout
from pipelines.layout.lines import LineShape, cut_line, line_distance
from pipelines.results import Check, Page, TextLine, TextRegion
from tests.data.layouts import alto_xml, level_lines, page_xml
from tests.data.pictures import ramp

TEXTS = ('Où est <l\'été> & "so"?', "שלום עולם", "e\u0301te\u0301 𝔊")
OUTLINE = '<Coords points="0,0 9,0 9,9 0,9"/>'

needs_data = pytest.mark.skipif("TRISCRIBE_DATA" not in os.environ, reason="TRISCRIBE_DATA is not set")


def saved(tmp_path, text):
    path = tmp_path / "layout.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def page_of(regions, order=""):
    return (
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        f'<Page imageFilename="x.png" imageWidth="9" imageHeight="9">{order}{regions}</Page></PcGts>'
    )


def alto_of(lines, head="", attributes=""):
    return (
        f'<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#">{head}<Layout><Page>'
        f'<PrintSpace><TextBlock ID="b" {attributes}>{lines}</TextBlock></PrintSpace></Page></Layout></alto>'
    )


FORMATS = {
    f"PAGE {version}": page_xml(level_lines(*TEXTS), "a b.png", version=version)
    for version in ("2013-07-15", "2017-07-15", "2019-07-15")
} | {
    f"ALTO {version}": alto_xml(level_lines(*TEXTS), "a b.png", version=version)
    for version in ("2#", "3#", "4#")
}
FORMATS["ALTO without a name space"] = FORMATS["ALTO 4#"].replace('xmlns="http', 'title="http')
FORMATS["PAGE in UTF-16"] = FORMATS["PAGE 2019-07-15"].replace("UTF-8", "UTF-16").encode("utf-16")


@pytest.mark.parametrize("name", FORMATS)
def test_lines_are_read_from_every_version(tmp_path, name):
    path = saved(tmp_path, FORMATS[name])
    layout = read_layout(path)
    assert (layout.image, layout.width, layout.height) == ("a b.png", 400, 300)
    assert [line.text for line in layout.lines] == list(TEXTS)
    assert [line.shape.id for line in layout.lines] == ["l0", "l1", "l2"]
    assert layout.lines[1].shape.baseline == ((20, 100), (380, 100))
    assert layout.lines[1].shape.polygon == ((20, 70), (380, 70), (380, 115), (20, 115))
    assert [region.kind for region in layout.regions] == ["paragraph"]
    assert is_layout(path) or "16" in name


def test_reading_order_of_page_with_groups_in_groups(tmp_path):
    def region(name, inner=""):
        line = f'<TextLine id="{name}1">{OUTLINE}<TextEquiv><Unicode>{name}</Unicode></TextEquiv></TextLine>'
        return f'<TextRegion id="{name}">{OUTLINE}{line}{inner}</TextRegion>'

    order = (
        '<ReadingOrder><OrderedGroup id="g"><RegionRefIndexed index="10" regionRef="a"/>'
        '<OrderedGroupIndexed id="h" index="2"><RegionRefIndexed index="1" regionRef="b"/>'
        '<UnorderedGroupIndexed id="i" index="0"><RegionRef regionRef="d"/><RegionRef regionRef="c"/>'
        "</UnorderedGroupIndexed></OrderedGroupIndexed></OrderedGroup></ReadingOrder>"
    )
    regions = "".join(map(region, "xabc")) + region("d", region("e"))
    layout = read_layout(saved(tmp_path, page_of(regions, order)))
    assert [line.text for line in layout.lines] == list("decbax")
    layout = read_layout(saved(tmp_path, page_of(regions)))
    assert [line.text for line in layout.lines] == list("xabcde")


def test_what_page_says_of_a_line(tmp_path):
    def line(index, inner, outline=OUTLINE):
        return f'<TextLine id="l{index}" custom="readingOrder {{index:{index};}}">{outline}{inner}</TextLine>'

    def text(value, index=""):
        return f"<TextEquiv{index}><Unicode>{value}</Unicode></TextEquiv>"

    lines = [
        line(1, text("second best", ' index="1"') + text("best", ' index="0"')),
        line(0, f"<Word>{OUTLINE}{text('two')}</Word><Word>{OUTLINE}{text('words')}</Word>{OUTLINE}"),
        line(
            2, "<TextEquiv><Unicode/></TextEquiv>", '<Coords points="1,1 8,1 8,6.5"/><Baseline points="3,5"/>'
        ),
        line(3, "", '<Coords points="1,2 8,2"/><Baseline points="1.5,2 8,2.25"/>'),
    ]
    cell = (
        f'<TableRegion id="t">{OUTLINE}<TableCell id="c" custom="structure {{type:cell;}}">{"".join(lines)}'
    )
    (region,) = read_layout(saved(tmp_path, page_of(f"{cell}</TableCell></TableRegion>"))).regions
    assert (region.kind, region.id) == ("cell", "c")
    assert [line.text for line in region.lines] == ["two words", "best", "", ""]
    assert region.lines[2].shape.baseline == ((1, 4.6), (8, 4.6))  # where writing in this outline has it
    assert region.lines[3].shape.polygon == () and region.lines[3].shape.baseline == ((1.5, 2), (8, 2.25))


def test_what_alto_says_of_a_line(tmp_path):
    box = 'HPOS="10" VPOS="20" WIDTH="110" HEIGHT="22"'
    strings = '<String CONTENT="two"/><SP/><String CONTENT="wor"/><HYP CONTENT="\u00ad"/>'
    lines = (
        f'<TextLine ID="m" {box} BASELINE="36">{strings}</TextLine>'
        f'<TextLine {box}><String CONTENT="no"/><String CONTENT="spaces"/><HYP/></TextLine>'
        '<TextLine BASELINE="1,5 2,5 9,6"/>'
    )
    head = '<Tags><OtherTag ID="T1" LABEL="MarginTextZone"/></Tags>'
    path = saved(tmp_path, alto_of(lines, head, 'TAGREFS="T0 T1"'))
    (region,) = read_layout(path).regions
    assert region.kind == "MarginTextZone"
    assert [line.text for line in region.lines] == ["two wor-", "no spaces-", ""]
    first, second, third = (line.shape for line in region.lines)
    assert first.baseline == ((10, 36), (120, 36)) and first.id == "m"
    assert second.baseline == ((10, pytest.approx(34.4)), (120, pytest.approx(34.4)))
    assert second.polygon == ((10, 20), (120, 20), (120, 42), (10, 42))
    assert third.baseline == ((1, 5), (2, 5), (9, 6)) and third.polygon == ()


def test_reading_order_of_alto(tmp_path):
    order = "".join(f'<ElementRef ID="o{name}" REF="{name}"/>' for name in "ba")
    text = alto_of(
        '<TextLine BASELINE="1 5 9 5"><String CONTENT="1"/></TextLine></TextBlock><TextBlock ID="a">'
    )
    text = text.replace(
        "<Layout>", f"<ReadingOrder><OrderedGroup>{order}</OrderedGroup></ReadingOrder><Layout>"
    )
    assert [region.id for region in read_layout(saved(tmp_path, text)).regions] == ["b", "a"]


def test_units_of_alto(tmp_path):
    path = saved(tmp_path, alto_xml(level_lines("one"), unit="mm10"))
    layout = fitted(read_layout(path), (800, 600))  # the page's own size tells the scale
    assert layout.width == 800 and layout.lines[0].shape.baseline == ((40, 100), (760, 100))
    with pytest.raises(MediaError, match="mm10.*does not say how wide"):
        read_layout(saved(tmp_path, alto_xml(level_lines("one"), size=(0, 0), unit="mm10")))
    with pytest.raises(MediaError, match="'furlong'"):
        read_layout(saved(tmp_path, alto_xml([], unit="furlong")))


def test_page_of_2010_has_points_as_elements(tmp_path):
    lines = "".join(
        f'<TextLine id="{name}"><Coords><Point x="1" y="{y}"/><Point x="9" y="{y}"/>'
        f'<Point x="9" y="{y + 2}"/></Coords></TextLine>'
        for name, y in (("a", 1), ("b", 5))
    )
    layout = read_layout(saved(tmp_path, page_of(f'<TextRegion id="r">{lines}</TextRegion>')))
    assert layout.lines[1].shape.polygon == ((1, 5), (9, 5), (9, 7))


def test_words_stand_in_for_a_line_without_text(tmp_path):
    text = "<TextEquiv><Unicode>{}</Unicode></TextEquiv>"
    words = "".join(f"<Word>{text.format(word)}</Word>" for word in ("two", "words"))
    line = f'<TextLine id="a">{OUTLINE}{words}{text.format("")}</TextLine>'
    (found,) = read_layout(saved(tmp_path, page_of(f'<TextRegion id="r">{line}</TextRegion>'))).lines
    assert found.text == "two words"


def test_regions_in_the_order_that_transkribus_writes_into_each(tmp_path):
    regions = "".join(
        f'<TextRegion id="{name}" custom="readingOrder {{index:{place};}}">{OUTLINE}</TextRegion>'
        for name, place in (("b", 1), ("c", 2), ("a", 0))
    )
    found = read_layout(saved(tmp_path, page_of(regions))).regions
    assert [region.id for region in found] == ["a", "b", "c"]


def test_what_cannot_be_used_is_left_out_and_named(tmp_path):
    lines = f'<TextLine id="bad"><Coords points="1,x"/></TextLine><TextLine id="good">{OUTLINE}</TextLine>'
    region = f'<TextRegion id="r"><Coords points="1 2 3"/>{lines}</TextRegion>'
    layout = read_layout(saved(tmp_path, page_of(region)))
    assert [line.shape.id for line in layout.lines] == ["good"]
    assert [bad.name for bad in layout.skipped] == ["bad", "region 'r'"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
GOOD = page_xml(level_lines("&SECRET;")).replace("&amp;", "&")
HEAD, BODY = GOOD[:38], GOOD[38:]
HOSTILE = {
    "billion laughs": f"{HEAD}<!DOCTYPE x [{LAUGHS}]>{BODY.replace('SECRET', 'l11')}",
    "billion laughs in an attribute": f"{HEAD}<!DOCTYPE x [{LAUGHS}]>{BODY.replace('r0', '&l11;')}",
    "external entity": f'{HEAD}<!DOCTYPE x [<!ENTITY SECRET SYSTEM "secret.txt">]>{BODY}',
    "external DTD": f'{HEAD}<!DOCTYPE PcGts SYSTEM "http://127.0.0.1:9/x.dtd">{page_xml([])[38:]}',
    "parameter entity": f'{HEAD}<!DOCTYPE x [<!ENTITY % p SYSTEM "secret.txt"> %p;]>{page_xml([])[38:]}',
    "undeclared entity": GOOD,
    "deep": page_of("<TextRegion>" * 100_000),
    "deep and closed": page_of("<TextRegion>" * 5_000 + "</TextRegion>" * 5_000),
    "not XML": "Dear Sir,",
    "binary": bytes(range(256)) * 9,
    "empty": "",
    "cut off": FORMATS["ALTO 4#"][:500],
    "wrong root": "<mets/>",
    "no page": "<PcGts/>",
    "two pages": page_of("").replace("<Page", "<Page/><Page"),
    "NaN": page_xml([("1,2 NaN,3", "1,1 2,2 3,1", "x")]),
    "infinity": page_xml([("1,2 3,3", "1,1 inf,2 3,1", "x")]),
    "words": alto_xml([("here there", "1,1 2,2 3,1", "x")]),
    "absurd": alto_xml([("1,2 1e300,2", "1,1 2,2 3,1", "x")]),
    "odd": page_xml([("1,2 3", "1,1 2,2 3,1", "x")]),
    "no place": page_xml([("", "", "x")]),
    "a million points": page_xml([("1,2 3,4", "1,2 " * 1_000_000, "x")]),
    "size": page_xml([], size=("many", 9)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_give_one_clear_error(tmp_path, name):
    (tmp_path / "secret.txt").write_text("secret")
    path = saved(tmp_path, HOSTILE[name])
    with pytest.raises(MediaError) as caught:
        read_layout(path)
    assert str(path) in str(caught.value) and caught.value.way_out and len(str(caught.value)) < 600


@pytest.mark.parametrize(("place", "why"), [("missing.xml", "does not exist"), (".", "is a folder")])
def test_what_is_no_file_is_named(tmp_path, place, why):
    with pytest.raises(MediaError, match=why):
        read_layout(tmp_path / place)


def test_deep_reading_orders_do_not_exhaust_the_stack(tmp_path):
    order = "<OrderedGroup>" * 200 + '<RegionRefIndexed regionRef="a"/>' + "</OrderedGroup>" * 200
    path = saved(tmp_path, page_of('<TextRegion id="a"/>', f"<ReadingOrder>{order}</ReadingOrder>"))
    assert [region.id for region in read_layout(path).regions] == ["a"]


@pytest.mark.parametrize("ending", ["page.xml", "alto.xml"])
def test_what_the_writers_write_is_read_back(tmp_path, ending):
    around = ((10.0, 10.0), (300.0, 12.0), (300.0, 60.0), (10.0, 58.0))
    lines = [
        TextLine(text, 0.5, around, ((10, 50), (150, 52), (300, 51)), (), f"x{n}")
        for n, text in enumerate(TEXTS)
    ]
    regions = (
        TextRegion(tuple(lines[:2]), around, "MainZone", "m"),
        TextRegion(tuple(lines[2:]), (), "heading", "h"),
    )
    page = Page(regions, 400, 300, "small", "scans/été 01.jpg")
    layout = read_layout(page.save(tmp_path / f"x.{ending}"))
    assert (layout.image, layout.width, layout.height) == ("été 01.jpg", 400, 300)
    assert [(region.kind, region.id) for region in layout.regions] == [("MainZone", "m"), ("heading", "h")]
    for read, line in zip(layout.lines, page.lines, strict=True):
        assert (read.text, read.shape.id) == (line.text, line.id)
        assert (read.shape.baseline, read.shape.polygon) == (line.baseline, line.polygon)


@needs_data
def test_real_pages_give_the_lines_and_cuts_of_their_data_sets():
    root = Path(os.environ["TRISCRIBE_DATA"]) / "handwriting"
    for file in sorted(root.glob("pages/test/*/*.xml"))[::3]:
        layout = read_layout(file)
        texts = [" ".join(line.text.split()) for line in layout.lines if line.text.strip()]
        assert texts == file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    collection = "copiste-fr"
    file = root / f"pages/test/{collection}/imp_wikitexte_0166.xml"
    layout, page = read_layout(file), np.asarray(Image.open(file.with_suffix(".jpg")).convert("L"))
    references = [
        Image.open(path).convert("L") for path in sorted((root / collection / "lines").glob(f"{file.stem}_*"))
    ]
    distance = line_distance([line.shape for line in layout.lines])
    for line, reference in zip(layout.lines[:6], references, strict=False):
        cut = cut_line(page, line.shape, distance).pixels
        small = np.asarray(Image.fromarray(cut).resize(reference.size))
        assert cut.shape[1] / cut.shape[0] == pytest.approx(reference.width / reference.height, rel=0.06)
        assert np.corrcoef(small.mean(0), np.asarray(reference).mean(0))[0, 1] > 0.6


ALTO_LINE = '<TextLine ID="l" HPOS="0" VPOS="0" WIDTH="9" HEIGHT="9" BASELINE="0 5 9 5" {}>{}</TextLine>'


@pytest.mark.parametrize(
    ("attributes", "strings", "block", "checked"),
    [
        ("", '<String CONTENT="a"/>', "", False),
        ('CS="false"', '<String CONTENT="a"/>', "", False),
        ('CS="true"', '<String CONTENT="a"/>', "", True),
        ('CS="1"', '<String CONTENT="a"/>', "", True),
        ("", '<String CONTENT="a"/>', 'CS="true"', True),
        ("", '<String CONTENT="a" CS="true"/><SP/><String CONTENT="b" CS="true"/>', "", True),
        ("", '<String CONTENT="a" CS="true"/><SP/><String CONTENT="b"/>', "", False),
        ("", "", "", False),
    ],
)
def test_altos_correction_status_says_what_was_checked(tmp_path, attributes, strings, block, checked):
    path = saved(tmp_path, alto_of(ALTO_LINE.format(attributes, strings), attributes=block))
    assert [line.checked for line in read_layout(path).lines] == [Check("", "") if checked else None]


@pytest.mark.parametrize(
    ("custom", "check"),
    [
        ("checked {by:Anna; when:2026-11-28T19:45:00Z;}", Check("Anna", "2026-11-28T19:45:00Z")),
        ("readingOrder {index:0;} checked {}", Check("", "")),
        ("checked{by:A\\u0020B;when:yesterday}structure {type:x;}", Check("A B", "")),
        ("checked", None),
        ("unchecked {by:Anna;}", None),
        ("comment {by:Anna; checked:1;}", None),
        ("", None),
    ],
)
def test_custom_tags_say_what_was_checked(tmp_path, custom, check):
    text = f'<TextRegion id="r"><TextLine id="l" custom="{custom}">{OUTLINE}</TextLine></TextRegion>'
    assert [line.checked for line in read_layout(saved(tmp_path, page_of(text))).lines] == [check]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("ending", ["xml", "alto.xml"])
def test_lines_of_a_turned_page_are_read_back_as_they_lie(tmp_path, turn, ending):
    """The same cut of each line as of the upright page, whose letters are upright."""
    grey = ramp(200, 300)
    line = TextLine("ab ba", 0.9, ((40, 60), (250, 60), (250, 110), (40, 110)), ((40, 100), (250, 100)))
    expected = cut_line(grey, LineShape(line.baseline, line.polygon), 60).pixels

    def turned(points):
        size = 300, 200
        for _ in range(turn // 90):
            points = [(size[1] - y, x) for x, y in points]
            size = size[::-1]
        return tuple(points)

    line = replace(line, polygon=turned(line.polygon), baseline=turned(line.baseline))
    page = np.rot90(grey, -turn // 90).copy()
    found = Page((TextRegion((line,)),), page.shape[1], page.shape[0], "a", "a.png")
    (read,) = read_layout(found.save(tmp_path / f"a.{ending}")).lines
    assert read.text == "ab ba"
    cut = cut_line(page, read.shape, 60).pixels.astype(int)
    assert np.abs(np.subtract(cut.shape, expected.shape)).max() <= 2
    middle = tuple(slice(10, size - 10) for size in expected.shape)
    assert np.median(np.abs(cut[middle] - expected[middle])) < 4


@pytest.mark.parametrize("ending", ["xml", "alto.xml"])
def test_a_right_to_left_line_below_its_baseline_is_upright(tmp_path, ending):
    """Hebrew hangs from its line, which may be drawn from the right."""
    line = TextLine("אב", 0.9, ((40, 60), (250, 60), (250, 110), (40, 110)), ((250, 65), (40, 65)))
    text = Page((TextRegion((line,)),), 300, 200, "a", "a.png")
    path = text.save(tmp_path / f"a.{ending}")
    assert not read_layout(path).lines[0].shape.upside_down
