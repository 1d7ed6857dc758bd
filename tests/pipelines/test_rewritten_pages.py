"""PAGE and ALTO files that eScriptorium, Transkribus or an editor wrote over ours: what counts as checked."""

import os
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from PIL import Image

from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.errors import MediaError
from pipelines.output_folder import stored_in
from pipelines.results import Check, Page, TextLine, TextRegion

ANNA = Check("Anna", "2026-11-28T19:45:00Z")
PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/"
TEXTS = ("Wehave had", "no rain", "since April", "1917")


def line(place: int, text: str, name: str = "", check: Check | None = None) -> TextLine:
    top = 20 + 50 * place
    polygon = ((20, top), (380, top), (380, top + 40), (20, top + 40))
    return TextLine(text, 0.5, polygon, ((20, top + 30), (380, top + 30)), id=name, checked=check)


@pytest.fixture(params=[False, True], ids=["without ids", "with ids"])
def page(request):
    """Two regions of two lines; lines that were found have no ids."""
    names = [f"line_{place}" for place in range(4)] if request.param else [""] * 4
    lines = [line(place, text, name) for place, (text, name) in enumerate(zip(TEXTS, names, strict=True))]
    return Page((TextRegion(tuple(lines[:2])), TextRegion(tuple(lines[2:]))), 400, 300, "m", "a.png")


def results(folder: Path, page: Page, formats=("json", "xml")) -> Path:
    """An output folder with a page, as a run leaves it."""
    image, out = folder / "a.png", folder / "out"
    Image.new("L", (400, 300), 230).save(image)
    outputs = tuple(page.save(out / f"a.{ending}") for ending in formats)
    Journal(out).add(Job(image, outputs), "m", None, task="handwriting")
    return out


def names_of(page: Page) -> list[str]:
    found = [f"r{number}_l{place}" for number in (1, 2) for place in (1, 2)]
    return [each.id or name for each, name in zip(page.lines, found, strict=True)]


def points(place: int, moved: int = 0) -> tuple[str, str]:
    top = 20 + 50 * place + moved
    return f"20,{top} 380,{top} 380,{top + 40} 20,{top + 40}", f"20,{top + 30} 380,{top + 30}"


def text_line(name: str, place: int, text: str, custom: str = "", moved: int = 0, conf: str = "") -> str:
    polygon, baseline = points(place, moved)
    return (
        f'<TextLine id="{name}"{custom}><Coords points="{polygon}"/><Baseline points="{baseline}"/>'
        f"<TextEquiv{conf}><Unicode>{escape(text)}</Unicode></TextEquiv></TextLine>"
    )


def escriptorium(regions: list[list[str]], image: str = "a.png") -> str:
    """As it exports PAGE of 2019: no status, no person, no zone of times, regions with ids of its own."""
    written = "".join(
        f'<TextRegion id="eSc_textblock_{number:08x}" custom="structure {{type:Main;}}">'
        f'<Coords points="0,0 400,0 400,300"/>{"".join(lines)}</TextRegion>'
        for number, lines in enumerate(regions)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<PcGts xmlns="{PAGE}2019-07-15" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Metadata><Creator>escriptorium</Creator>'
        "<Created>2026-11-28T10:00:00</Created><LastChange>2026-11-28T10:00:00</LastChange></Metadata>"
        f'<Page imageFilename="{image}" imageWidth="400" imageHeight="300">{written}</Page></PcGts>'
    )


def transkribus(status: str, regions: list[list[str]], name: str = "0001_a.jpg") -> str:
    """As it exports PAGE of 2013: several programs as creators, a status, its reading order in `custom`."""
    written = "".join(
        f'<TextRegion orientation="0.0" id="tr_{number}" custom="readingOrder {{index:{number};}}">'
        f'<Coords points="0,0 400,0 400,300"/>{"".join(lines)}<TextEquiv><Unicode/></TextEquiv></TextRegion>'
        for number, lines in enumerate(regions)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><PcGts xmlns="{PAGE}2013-07-15"><Metadata>'
        "<Creator>prov=University of Rostock:name=PyLaia(htr_id=16190)::::v=2.4.2\nTRP</Creator>"
        "<Created>2026-11-27T23:23:02.181+02:00</Created>"
        "<LastChange>2026-11-28T19:47:30.802+02:00</LastChange>"
        f'<TranskribusMetadata docId="218635" pageId="93" pageNr="1" tsid="16" status="{status}"/>'
        f'</Metadata><Page imageFilename="{name}" imageWidth="400" imageHeight="300">'
        '<ReadingOrder><OrderedGroup id="ro_1" caption="Regions reading order">'
        '<RegionRefIndexed index="0" regionRef="tr_0"/></OrderedGroup></ReadingOrder>'
        f"{written}</Page></PcGts>"
    )


def read(out: Path) -> Page:
    (stored,) = stored_in(out)
    return stored.result()


def checked(page: Page) -> dict[str, Check | None]:
    return {each.text: each.checked for each in page.lines}


def test_what_nobody_has_touched_is_as_it_was(tmp_path, page):
    out = results(tmp_path, page)
    (stored,) = stored_in(out)
    assert stored.edited == frozenset() and stored.result() == page
    assert (stored.source, stored.model, stored.is_found) == (tmp_path / "a.png", "m", True)


@pytest.mark.parametrize("keeps_ids", [True, False])
def test_escriptorium_the_lines_that_were_changed(tmp_path, page, keeps_ids):
    """Regions in another order, lines moved a little, one deleted, one drawn by hand."""
    out, names = results(tmp_path, page), names_of(page)
    names = names if keeps_ids else [f"eSc_line_{place:08x}" for place in range(4)]
    second = [
        text_line(names[2], 2, "since April", conf=' conf="0.83"'),
        text_line("eSc_line_new", 4, "added"),
    ]
    first = [text_line(names[0], 0, "We have had", moved=4)]
    (out / "a.xml").write_text(escriptorium([second, first]))
    found = read(out)
    escriptorium_says = Check("escriptorium", "")
    assert checked(found) == {
        "since April": None,
        "added": escriptorium_says,
        "We have had": escriptorium_says,
    }
    changed = found.lines[-1]
    assert changed.polygon[0] == (20, 24) and changed.confidence == 1.0
    assert found.lines[0].confidence == 0.5  # as the model read it


@pytest.mark.parametrize("status", ["NEW", "IN_PROGRESS", "DONE", "FINAL", "GT"])
def test_transkribus_all_lines_of_a_page_that_is_done(tmp_path, page, status):
    out, names = results(tmp_path, page), names_of(page)
    texts = ["We have had", "no rain", "since  April", ""]
    lines = [
        text_line(name, place, text, f' custom="readingOrder {{index:{place};}}"')
        for place, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    (out / "a.xml").write_text(transkribus(status, [lines[:2], lines[2:]]))
    who = Check("Transkribus", "2026-11-28T19:47:30.802+02:00")
    done = who if status in ("DONE", "FINAL", "GT") else None
    assert checked(read(out)) == {"We have had": who, "no rain": done, "since April": done, "": None}


def test_the_normal_form_and_spaces_of_a_text_are_no_correction(tmp_path):
    page = Page((TextRegion((line(0, "été là"),)),), 400, 300, "m", "a.png")
    out = results(tmp_path, page)
    (out / "a.xml").write_text(escriptorium([[text_line("x", 0, " e\u0301te\u0301  là ")]]))
    assert [each.checked for each in read(out).lines] == [None]


def test_a_file_that_was_edited_by_hand(tmp_path, page):
    out = results(tmp_path, page)
    (out / "a.xml").write_text((out / "a.xml").read_text().replace("no rain", "no Rain"))
    found = checked(read(out))
    assert [text for text, check in found.items() if check] == ["no Rain"]
    assert found["no Rain"].by.startswith("triscribe")


def test_marks_of_our_own_are_kept_where_another_program_leaves_the_text(tmp_path, page):
    first, *others = page.regions[0].lines
    marked = replace(page.regions[0], lines=(replace(first, checked=ANNA), *others))
    out = results(tmp_path, replace(page, regions=(marked, page.regions[1])))
    names = names_of(page)
    (out / "a.xml").write_text(
        escriptorium(
            [
                [
                    text_line(name, place, text)
                    for place, (name, text) in enumerate(zip(names, TEXTS, strict=True))
                ]
            ]
        )
    )
    assert checked(read(out)) == dict.fromkeys(TEXTS) | {TEXTS[0]: ANNA}


def test_of_two_corrections_the_later_one_counts(tmp_path, page):
    first, *others = page.regions[0].lines
    marked = replace(page.regions[0], lines=(replace(first, text="We have had", checked=ANNA), *others))
    out, names = results(tmp_path, replace(page, regions=(marked, page.regions[1]))), names_of(page)
    (out / "a.xml").write_text(escriptorium([[text_line(names[0], 0, "We hive had")]]))
    for seconds, text in ((-60, "We have had"), (60, "We hive had")):
        when = os.path.getmtime(out / "a.json") + seconds
        os.utime(out / "a.xml", (when, when))
        assert [each.text for each in read(out).lines] == [text]


def test_without_the_result_itself_only_marks_and_a_status_count(tmp_path, page):
    out, names = results(tmp_path, page, formats=("xml",)), names_of(page)
    assert checked(read(out)) == dict.fromkeys(TEXTS)
    lines = [
        text_line(names[0], 0, "We have had"),
        text_line(names[1], 1, "no rain", ' custom="checked {by:Anna;}"'),
    ]
    (out / "a.xml").write_text(escriptorium([lines]))
    assert checked(read(out)) == {"We have had": None, "no rain": Check("Anna", "")}
    (out / "a.xml").write_text(transkribus("GT", [lines]))
    assert [check.by for check in checked(read(out)).values()] == ["Transkribus", "Anna"]


def test_alto_that_escriptorium_wrote(tmp_path, page):
    out, names = results(tmp_path, page, formats=("json", "alto.xml")), names_of(page)
    lines = ""
    for place, (name, text) in enumerate(zip(names, ("We have had", *TEXTS[1:]), strict=True)):
        box = f'HPOS="20" VPOS="{20 + 50 * place}" WIDTH="360" HEIGHT="40"'
        baseline = f"20 {50 + 50 * place} 380 {50 + 50 * place}"
        string = f'<String CONTENT="{text}" {box}></String>'
        lines += f'<TextLine ID="{name}" BASELINE="{baseline}" {box}>{string}</TextLine>'
    (out / "a.alto.xml").write_text(
        '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description>'
        "<MeasurementUnit>pixel</MeasurementUnit>"
        "<sourceImageInformation><fileName>a.png</fileName></sourceImageInformation></Description><Layout>"
        '<Page WIDTH="400" HEIGHT="300" PHYSICAL_IMG_NR="1" ID="eSc_dummypage_">'
        '<PrintSpace HPOS="0" VPOS="0" WIDTH="400" HEIGHT="300">'
        f'<TextBlock ID="eSc_dummyblock_">{lines}</TextBlock></PrintSpace></Page></Layout></alto>'
    )
    assert [text for text, check in checked(read(out)).items() if check] == ["We have had"]


def test_a_layout_in_other_pixels_is_fitted_and_one_of_another_image_refused(tmp_path, page):
    out, names = results(tmp_path, page), names_of(page)
    written = escriptorium([[text_line(names[0], 0, "We have had")]])
    (out / "a.xml").write_text(written.replace('"400" imageHeight="300"', '"800" imageHeight="600"'))
    assert read(out).lines[0].polygon[1] == (190, 10)
    (out / "a.xml").write_text(written.replace('imageHeight="300"', 'imageHeight="900"'))
    with pytest.raises(MediaError, match="is of an image of 400 x 900 pixels"):
        read(out)
    (out / "a.xml").write_text("<PcGts><Page")
    with pytest.raises(MediaError, match="not well-formed"):
        read(out)
