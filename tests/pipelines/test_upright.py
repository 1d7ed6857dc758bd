import numpy as np
import pytest

from pipelines import load, recognize
from pipelines.layout.turning import turned, turned_points
from tests.data.bar_reader import BarReader
from tests.data.layouts import page_xml
from tests.data.pictures import bars
from tests.pipelines.layout.test_found import letter, paper


@pytest.fixture(scope="module")
def read():
    model = load("handwriting-en-small")
    return lambda page, **options: recognize(page, model, layout="page", language_model="none", **options)


@pytest.fixture(scope="module")
def page():
    return letter(lines=8, page=paper(800, 1000))[0]


@pytest.fixture(scope="module")
def upright(read, page):
    return read(page, rotate="0")


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_page_is_read_like_the_upright_one_at_its_own_places(read, page, upright, degrees):
    image = turned(page, degrees)
    result = read(image)
    assert result.text == upright.text
    assert (result.height, result.width) == image.shape
    assert bool(result.notes) == bool(degrees)
    for line, right in zip(result.lines, upright.lines, strict=True):
        assert line.baseline == turned_points(right.baseline, degrees, page.shape)
        for word, same in zip(line.words, right.words, strict=True):
            assert word.polygon == turned_points(same.polygon, degrees, page.shape)
            assert word.glyphs[0].polygon == turned_points(same.glyphs[0].polygon, degrees, page.shape)


def test_the_turn_can_be_given(read, page, upright):
    assert read(turned(page, 90), rotate="270").text == upright.text
    assert read(turned(page, 180), rotate=180).text == upright.text
    assert read(turned(page, 180), rotate="0").text != upright.text


@pytest.mark.parametrize("rotate", ["45", "left", None])
def test_other_turns_are_refused(rotate):
    with pytest.raises(ValueError, match="rotate must be auto, 0, 90, 180 or 270"):
        recognize(np.zeros((40, 400), np.uint8), BarReader(), rotate=rotate)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_line_is_turned_if_told(degrees):
    line = bars("ab ba")
    back = str(360 - degrees)
    assert recognize(turned(line, degrees), BarReader(), layout="line", rotate=back).text == "ab ba"
    assert recognize(turned(line, degrees), BarReader(), rotate=back).text == "ab ba"


def test_a_layout_is_that_of_the_image_as_it_is(tmp_path):
    page = np.full((300, 400), 230, np.uint8)
    page[100:160, 120:280] = bars("abba")
    size = page.shape
    box, baseline = [(110, 95), (290, 95), (290, 165), (110, 165)], [(110, 158), (290, 158)]
    points = [
        " ".join(f"{x:.0f},{y:.0f}" for x, y in turned_points(each, 180, size)) for each in (baseline, box)
    ]
    (tmp_path / "page.xml").write_text(page_xml([(*points, "")]))
    result = recognize(turned(page, 180), BarReader(), layout=tmp_path / "page.xml", rotate="180")
    assert result.text == "abba"
    assert result.lines[0].polygon == turned_points(box, 180, size)
    assert result.regions[0].polygon == ((0, 0), (400, 0), (400, 300))
