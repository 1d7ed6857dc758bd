"""Lines and pages read by a model whose answers are known: text, order, and where every letter lies."""

import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from decoders.alphabet import Alphabet
from decoders.contract import Labels
from pipelines import handwriting, recognize
from pipelines.errors import MediaError, ModelError, TriscribeError
from pipelines.handwriting import HandwritingOptions, is_negative, read_lines
from pipelines.model import SequenceModel
from pipelines.results import Page
from tests.data.bar_reader import SIZES, BarReader
from tests.data.pictures import bars

TEXT = "ab ba aab"
PAGE_XML = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Page
imageFilename="x.png" imageWidth="{width}" imageHeight="{height}"><TextRegion id="r7" type="marginalia">
<Coords points="0,0 900,0 900,700 0,700"/>{lines}</TextRegion></Page></PcGts>"""
LINE_XML = '<TextLine id="{id}"><Coords points="{polygon}"/><Baseline points="{baseline}"/></TextLine>'


@pytest.fixture(scope="module")
def model():
    return BarReader()


@pytest.fixture(scope="module")
def random_model():
    """It writes something in every frame, and looks as far as the line goes."""
    torch.manual_seed(1)
    network = SequenceModel("handwriting", *SIZES, Alphabet(" abcé"), name="random")
    with torch.no_grad():
        network.decoder.project.weight.mul_(20)
        network.decoder.project.bias[0] = -99.0
    return network.eval()


def centre(unit):
    left, top, right, bottom = unit.box
    return (left + right) / 2, (top + bottom) / 2


def rotated(page, degrees):
    """The page turned about its middle, on a larger sheet; and where points of it come to lie."""
    height, width = page.shape
    side = int(np.hypot(height, width)) + 2
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = Image.fromarray(page).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=230)
    middle = np.array(turned.size) / 2
    assert max(turned.size) <= side
    return np.asarray(turned), lambda points: (np.array(points) - [width / 2, height / 2]) @ turn.T + middle


def page_with(folder, lines, width=900, height=700, name="x.xml"):
    """A PAGE file; lines are (id, polygon, baseline)."""

    def points(places):
        return " ".join(f"{x:.0f},{y:.0f}" for x, y in places)

    written = "".join(
        LINE_XML.format(id=name, polygon=points(polygon), baseline=points(baseline))
        for name, polygon, baseline in lines
    )
    path = folder / name
    path.write_text(PAGE_XML.format(lines=written, width=width, height=height))
    return path


def test_a_line_and_where_its_letters_are(model):
    page = recognize(bars(TEXT), model)
    assert isinstance(page, Page) and (page.width, page.height, page.model) == (360, 60, "bars")
    (line,) = page.lines
    assert line.text == page.text == TEXT and line.box == (0, 0, 360, 60)
    assert [word.text for word in line.words] == TEXT.split()
    assert line.confidence == pytest.approx(np.exp(-0.1), abs=1e-5)
    place = 0
    for word in line.words:
        assert word.box == pytest.approx((place * 40 + 14, 0, (place + len(word.text)) * 40 - 14, 60), abs=4)
        assert (word.glyphs[0].box[0], word.glyphs[-1].box[2]) == (word.box[0], word.box[2])
        for left, right in zip(word.glyphs, word.glyphs[1:], strict=False):
            assert left.box[2] == right.box[0]  # nothing between them
        for glyph in word.glyphs:
            assert glyph.text == TEXT[place]
            assert glyph.box[0] <= place * 40 + 18 and glyph.box[2] >= place * 40 + 20  # its spike is in it
            place += 1
        place += 1


def test_right_to_left():
    model = BarReader(right_to_left=True)
    (line,) = recognize(bars("ab ba aab"), model).lines
    # Latin letters run left to right within a line that is read from its right end.
    assert line.text == "ab ba aab"
    hebrew = BarReader(True, " אב")
    (line,) = recognize(bars("ab ba aab"), hebrew).lines
    assert line.text == "באא אב בא"
    assert [word.text for word in line.words] == line.text.split()
    assert line.words[0].box[0] > line.words[1].box[0] > line.words[2].box[0]
    assert line.words[0].box == pytest.approx((254, 0, 346, 60), abs=4)
    first, *_, last = line.words[0].glyphs
    assert first.text == "ב" and first.box[0] > last.box[0]
    numbers = BarReader(True, " 1א")
    (line,) = recognize(bars("bba ab"), numbers).lines
    assert line.text == "א1 1אא"


def test_accents_belong_to_their_letters():
    (line,) = recognize(bars("ab a"), BarReader(alphabet=" a\u0301")).lines
    assert [glyph.text for glyph in line.words[0].glyphs] == ["a\u0301"]
    assert line.words[0].glyphs[0].box == line.words[0].box


def test_words_end_at_the_gap_wherever_the_space_was_heard(model, monkeypatch):
    """CTC may name a space while it is still on the letter before it."""
    pixels = bars("aab ba")
    pixels[:, 120:160] = 230  # nothing is drawn for the space
    spikes = Labels([2, 2, 3, 1, 3, 2], [2, 7, 12, 13, 23, 28], [3, 8, 13, 14, 24, 29], [0.9] * 6)
    monkeypatch.setattr("decoders.ctc.greedy", lambda *_: [spikes])
    first, second = recognize(pixels, model).words
    assert (first.text, second.text) == ("aab", "ba")
    assert first.box == pytest.approx((14, 0, 106, 60), abs=3)
    assert second.box == pytest.approx((174, 0, 226, 60), abs=3)


@pytest.mark.parametrize("degrees", [0, 7, -12])
def test_letters_of_a_slanting_line_lie_where_they_are_on_the_page(model, tmp_path, degrees):
    sheet = np.full((700, 900), 230, np.uint8)
    sheet[300:360, 200:560] = bars(TEXT)
    image, moved = rotated(sheet, degrees)
    lines = [("l1", moved([(195, 295), (565, 295), (565, 365), (195, 365)]), moved([(200, 358), (560, 358)]))]
    path = page_with(tmp_path, lines, image.shape[1], image.shape[0])
    page = recognize(image, model, layout=path)
    ((region,), (line,)) = page.regions, page.lines
    assert (region.id, region.kind, line.id, line.text) == ("r7", "marginalia", "l1", TEXT)
    assert (page.width, page.height) == image.shape[::-1]
    for word, (first, last) in zip(line.words, [(0, 2), (3, 5), (6, 9)], strict=True):
        expected = moved([(200 + 40 * first + 14, 330), (200 + 40 * last - 14, 330)])
        assert np.hypot(*np.subtract(centre(word), expected.mean(axis=0))) < 8
        left = np.mean([word.polygon[0], word.polygon[3]], axis=0)
        assert np.hypot(*(left - expected[0])) < 10


def test_a_layout_beside_the_image_is_used(model, tmp_path):
    sheet = np.full((700, 900), 230, np.uint8)
    shapes = []
    for top, text in ((100, "ab"), (300, "ba a"), (500, "bb")):
        sheet[top : top + 60, 200 : 200 + 40 * len(text)] = bars(text)
        box = [(190, top - 5), (210 + 40 * len(text), top - 5)]
        shapes.append(
            (f"l{top}", [*box, *((x, top + 65) for x, _ in box[::-1])], [(x, top + 58) for x, _ in box])
        )
    Image.fromarray(sheet).save(tmp_path / "x.png")
    page_with(tmp_path, shapes[::-1])
    page = recognize(tmp_path / "x.png", model)
    assert [line.text for line in page.lines] == ["bb", "ba a", "ab"]  # the file's order
    assert page.source == str(tmp_path / "x.png")
    with open(tmp_path / "x.png", "rb") as file:  # nothing lies beside a file that is open
        assert recognize(file, model, layout=tmp_path / "x.xml").text == page.text
    assert recognize(tmp_path / "x.png", model, layout=tmp_path).text == page.text
    half = Image.fromarray(sheet).resize((450, 350), Image.Resampling.BOX)
    smaller = recognize(half, model, layout=tmp_path / "x.xml")
    assert smaller.text == page.text
    assert smaller.lines[0].words[0].box == pytest.approx(np.array(page.lines[0].words[0].box) / 2, abs=3)
    with pytest.raises(MediaError, match="is of an image of 900 x 700 pixels, not 700 x 900"):
        recognize(sheet.T, model, layout=tmp_path / "x.xml")
    page_with(tmp_path, [*shapes, ("far", [(5000, 10), (5100, 10), (5100, 90)], [(5000, 80), (5100, 80)])])
    page = recognize(tmp_path / "x.png", model)
    assert len(page.lines) == 3 and page.notes == ("far left out: line 'far' lies off the page",)
    page_with(tmp_path, [])
    page = recognize(tmp_path / "x.png", model)
    assert not page.lines and page.notes[0].startswith("x.xml gives no lines")
    (tmp_path / "x.xml").write_text("<mets/>")  # is of something else
    assert len(recognize(tmp_path / "x.png", model, layout="line").lines) == 1
    with pytest.raises(ValueError, match="layout must be auto, line, page"):
        recognize(sheet, model, layout="lines")


STORED = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright.T, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""EXIF orientation -> how an upright image is stored."""


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("width", [900, 710])
def test_a_layout_is_of_the_stored_or_of_the_upright_image(model, tmp_path, orientation, width):
    """Tools differ in whether they heed the EXIF orientation; the layout's size tells."""
    height = 700
    sheet = np.full((height, width), 230, np.uint8)
    sheet[100:160, 200:360], sheet[400:460, 300:420] = bars("ab a"), bars("bba")
    outlines = [(195, 95, 365, 165), (295, 395, 425, 465)]
    numbers = np.arange(height * width).reshape(height, width)
    stored = np.ascontiguousarray(STORED[orientation](sheet))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "x.png", exif=exif)

    def shapes(moved):
        for name, (left, top, right, bottom) in enumerate(outlines):
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            yield (
                f"l{name}",
                list(map(moved, corners)),
                [moved((left, bottom - 7)), moved((right, bottom - 7))],
            )

    page_with(tmp_path, shapes(lambda point: point), width, height)
    upright = recognize(tmp_path / "x.png", model)
    assert [line.text for line in upright.lines] == ["ab a", "bba"]
    if orientation in (2, 3, 4):  # of which the size tells nothing
        return
    kept = STORED[orientation](numbers)
    turned = shapes(lambda point: np.argwhere(kept == numbers[point[::-1]])[0][::-1])
    page_with(tmp_path, turned, *stored.shape[::-1])
    page = recognize(tmp_path / "x.png", model)
    assert [line.text for line in page.lines] == ["ab a", "bba"] and not page.notes
    for one, other in zip(page.words, upright.words, strict=True):
        assert one.box == pytest.approx(other.box, abs=3)


def test_a_long_line_is_cut_between_its_words(model, monkeypatch):
    text = " ".join(["ab", "baa", "b"] * 50)
    pixels = bars(text, height=120, pitch=50)
    assert pixels.shape[1] > 20_000
    cut = recognize(pixels, model)
    assert cut.text == text
    widest = handwriting.LONGEST * model.front_end.height
    assert max(columns for _, columns in model.batches) <= widest
    assert cut.words[-1].box == pytest.approx((pixels.shape[1] - 31, 0, pixels.shape[1] - 19, 120), abs=4)
    monkeypatch.setattr(handwriting, "LONGEST", 10**6)
    assert recognize(pixels, model).words[100:103] == cut.words[100:103]


def test_absurd_lines(model):
    with pytest.raises(MediaError, match="no line of text"):
        recognize(np.full((2, 5000), 200, np.uint8), model)
    for shape in ((1, 1), (1, 50), (50, 1), (199, 3)):
        page = recognize(np.full(shape, 200, np.uint8), model, layout="line")
        assert (page.text, page.height, page.width) == ("", *shape)
        assert len(page.lines) == 1 and page.lines[0].confidence == 0


def test_neighbours_change_nothing(random_model):
    lines = [
        bars(TEXT * count, height) for count, height in [(3, 40), (1, 90), (5, 33), (2, 64), (1, 20)] * 9
    ]
    together = list(recognize(lines, random_model, batch_size=7))
    assert sum(len(page.words) for page in together) > 50
    for pixels, page in zip(lines, together, strict=True):
        alone = recognize(pixels, random_model)
        assert alone.text == page.text
        for one, other in zip(alone.words, page.words, strict=True):
            assert one.box == other.box and one.confidence == pytest.approx(other.confidence, abs=1e-4)
            assert 0 <= one.box[0] < one.box[2] <= page.width
    read = list(read_lines(random_model, iter(lines)))
    assert [line.text for line in read] == [page.text for page in together]


def test_results_come_in_order_and_do_not_wait_for_all(model, tmp_path):
    opened = []

    def sources():
        for index in range(300):
            opened.append(index)
            yield bars("ab" if index % 2 else "ba") if index % 50 else tmp_path / f"{index}.png"

    found = recognize(sources(), model, errors="return")
    assert opened == []
    for index in range(300):
        result = next(found)
        if index % 50:
            assert result.text == ("ab" if index % 2 else "ba")
        else:
            assert isinstance(result, TriscribeError) and f"{index}.png" in result.path
        assert len(opened) - index < 200
    with pytest.raises(MediaError, match="0.png: does not exist"):
        next(recognize(sources(), model))


def test_images_do_not_wait_for_what_is_read_with_them(model):
    """Lines of many sources are read together: what waits until then is not their pixels."""
    alive = []

    def images():
        for _ in range(20):
            image = bars("ab").copy()
            alive.append(weakref.ref(image))
            yield image
            del image
            assert sum(each() is not None for each in alive) <= 2

    pages = list(recognize(images(), model, layout="line"))
    assert [page.text for page in pages] == ["ab"] * 20


def test_options_and_models(model):
    with pytest.raises(TypeError, match="did you mean 'layout'"):
        recognize(bars("a"), model, layuot="line")
    with pytest.raises(ValueError, match="batch_size"):
        recognize(bars("a"), model, batch_size=0)
    assert HandwritingOptions.of({}).layout == "auto"
    speech = SequenceModel(
        "speech",
        {"kind": "spectrogram", "n_mels": 8, "output_size": 4, "channels": 2},
        *SIZES[1:],
        Alphabet("a"),
    )
    with pytest.raises(ModelError, match="is a model for speech; name a handwriting model"):
        recognize(bars("a"), speech)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_nothing_is_read_where_nothing_is_written(model, shade):
    for size in ((40, 400), (3, 3), (1, 1)):
        page = recognize(np.full(size, shade, np.uint8), model, layout="line")
        assert page.text == "" and [line.words for line in page.lines] == [()]
    slope = np.tile(np.linspace(shade / 2, shade, 400).astype(np.uint8), (40, 1))
    assert recognize(slope, model, layout="line").text == ""


def test_bold_writing_on_grained_paper_is_dark():
    generator = np.random.default_rng(0)
    page = generator.normal(215, 3, (500, 900)).clip(0, 255).astype(np.uint8)
    for top in range(100, 300, 60):
        for left in range(100, 700, 20):
            page[top : top + generator.integers(12, 40), left : left + 8] = 40
    assert not is_negative(page) and is_negative(255 - page)


def test_light_ink_on_dark_paper(model):
    assert recognize(255 - bars(TEXT), model).text == TEXT
    generator = np.random.default_rng(0)
    page = np.full((1400, 1000), 215, np.uint8)
    for top in range(100, 1300, 60):
        for left in range(100, 900, 14):
            page[top : top + generator.integers(12, 40), left : left + 4] = 40
    table = np.full((2600, 2200), 25, np.uint8)  # a photograph with a dark border
    table[600:2000, 600:1600] = page
    for dark in (page, table):
        noisy = np.clip(dark + generator.normal(0, 8, dark.shape), 0, 255).astype(np.uint8)
        assert not is_negative(noisy) and is_negative(255 - noisy)
