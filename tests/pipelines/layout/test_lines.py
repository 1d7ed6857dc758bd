"""Cutting lines: every mark is found where it was drawn, whatever the line's course; hostile shapes."""

import cv2
import numpy as np
import pytest

from pipelines.layout.lines import LineShape, cut_line, line_distance

PAPER = 200


def blank(height=600, width=800):
    return np.full((height, width), PAPER, np.uint8)


def dots(page, places):
    for x, y in places:
        cv2.circle(page, (round(x), round(y)), 4, 20, -1)
    return [(round(x), round(y)) for x, y in places]


def found(pixels):
    """Centres of the dark spots, from left to right."""
    _, _, _, centres = cv2.connectedComponentsWithStats((pixels < 110).astype(np.uint8))
    return centres[1:][np.argsort(centres[1:, 0])]


def course(angle, bend=0.0):
    """61 points of a line through the page's middle, bent by `bend` pixels, and its downward direction."""
    along = np.linspace(-220, 220, 61)
    level = np.stack([along, bend * (1 - (along / 220) ** 2)], axis=1)
    turn = np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )  # row vectors, clockwise on a page whose y grows downwards
    slope = np.gradient(level[:, 1], along)
    down = np.stack([-slope, np.ones_like(slope)], axis=1) / np.hypot(1, slope)[:, None]
    return level @ turn + (400, 300), down @ turn


def shape(points, down, above=40, below=20):
    outline = np.concatenate([points - above * down, (points + below * down)[::-1]])
    return LineShape(tuple(map(tuple, points)), tuple(map(tuple, outline)))


COURSES = {
    "level": course(0),
    "slanting": course(0.2),
    "steep": course(-0.7),
    "upwards": course(-np.pi / 2),
    "downwards": course(np.pi / 2),
    "arch": course(0, bend=-60),
    "leaning bowl": course(0.3, bend=80),
}


@pytest.mark.parametrize("band", [False, True], ids=["polygon", "no polygon"])
@pytest.mark.parametrize("name", COURSES)
def test_marks_are_found_and_mapped_back_to_where_they_were_drawn(name, band):
    points, down = COURSES[name]
    page = blank()
    heights = np.where(np.arange(9) % 2, -15, 3)[:, None]  # above, and on the baseline
    drawn = dots(page, points[6:55:6] + heights * down[6:55:6])
    line = shape(points, down)
    cut = cut_line(page, LineShape(line.baseline) if band else line, 55 if band else None)
    centres = found(cut.pixels)
    assert np.abs(cut.to_page(centres) - drawn).max() < 0.75
    assert np.abs(centres[:, 1] - cut.row - heights[:, 0]).max() < 5  # laid level, the right way up
    assert cut.pixels.shape[0] < 85 and 0 < cut.row < cut.pixels.shape[0]
    assert cut.path.shape == (cut.pixels.shape[1], 2)


def test_neighbouring_pixels_of_the_cut_are_a_pixel_apart_on_the_page():
    for points, down in COURSES.values():
        cut = cut_line(blank(), shape(points, down))
        steps = np.hypot(*np.diff(cut.to_page([(x, cut.row) for x in range(cut.pixels.shape[1])]), axis=0).T)
        assert steps == pytest.approx(1, abs=2e-3)


def test_a_level_line_keeps_its_very_pixels_and_places_beyond_the_cut_go_on_straight():
    page = np.random.default_rng(0).integers(150, 255, (100, 300)).astype(np.uint8)
    cut = cut_line(page, LineShape(((20, 60.4), (280, 60.4)), ((20, 30), (280, 30), (280, 80), (20, 80))))
    (left, top), (right, bottom) = cut.to_page([(0, 0), (cut.pixels.shape[1], cut.pixels.shape[0])])
    assert (left, top) == (round(left), round(top))
    inner = cut.pixels[30 - int(top) : 81 - int(top), 20 - int(left) : 281 - int(left)]
    assert (inner == page[30:81, 20:281]).all()
    assert (right - left, bottom - top) == pytest.approx(cut.pixels.shape[::-1])


def test_a_line_given_from_right_to_left_gives_the_same_cut():
    points, down = COURSES["slanting"]
    page = blank()
    dots(page, points[10:50:13] - 20 * down[10:50:13])
    line = shape(points, down)
    back = LineShape(line.baseline[::-1], line.polygon)
    assert np.abs(cut_line(page, line).pixels.astype(int) - cut_line(page, back).pixels).max() <= 1


def test_ink_outside_the_polygon_becomes_paper_without_an_edge():
    page = np.tile(np.linspace(120, 240, 800), (600, 1)).astype(np.uint8)  # unevenly lit
    lit = page.copy()
    page[290:294, 300:420] = 10
    page[262:266, :360] = page[262:266, 440:] = page[318:330, 440:] = 10  # the neighbours'
    upper = [(170, 285), (380, 285), (400, 250), (420, 285), (630, 285)]
    outline = upper + [(x, 600 - y - 3) for x, y in reversed(upper)]
    line = LineShape(((180, 300), (620, 300)), tuple(outline))
    cut = cut_line(page, line)
    places = cut.to_page(np.argwhere(cut.pixels < 90)[:, ::-1])
    assert places[:, 1].min() >= 289 and places[:, 1].max() <= 294
    clean = cut_line(lit, line).pixels.astype(int)
    assert np.abs(np.diff(clean, axis=0)).max() <= 6 and np.abs(np.diff(clean, axis=1)).max() <= 6


def test_strips_are_replaced_and_tall_polygons_cut_back():
    points, down = COURSES["slanting"]
    strip = cut_line(blank(), shape(points, down, above=2, below=2), 60).pixels.shape[0]
    assert 0.9 * 1.1 * 60 < strip < 1.3 * 1.1 * 60
    tall = cut_line(blank(), shape(points, down, above=150, below=100), 60).pixels.shape[0]
    assert 0.95 * 1.9 * 60 < tall < 1.3 * 1.9 * 60
    assert cut_line(blank(), shape(points, down, above=150, below=100)).pixels.shape[0] > 245


def test_line_distance():
    def at(y, left=100, right=700):
        return LineShape(((left, y), (right, y + 5)))

    page = [at(100), at(150), at(202), at(250, 100, 350), at(251, 450, 700), at(252, 360, 440), at(300)]
    assert line_distance(page) == pytest.approx(50, abs=2)
    turned = [LineShape(tuple((-y, x) for x, y in line.baseline)) for line in page]
    assert line_distance(turned) == pytest.approx(line_distance(page))
    assert line_distance([shape(*COURSES["steep"])]) == pytest.approx(60 / 1.1, rel=0.02)
    assert line_distance([at(100)]) == pytest.approx(60, rel=0.01)
    with pytest.raises(ValueError, match="no lines"):
        line_distance([])


def test_what_hangs_over_the_page_is_left_out():
    page = blank(100, 300)
    cut = cut_line(page, LineShape(((-40, 95), (280, 103)), ((-40, 60), (290, 50), (350, 160), (-20, 140))))
    assert cut.pixels.shape[0] <= 70 and cut.pixels.shape[1] <= 320
    cut = cut_line(page, LineShape(((2, 10), (290, 12))), 80)
    assert cut.pixels.shape[0] < 60 and (cut.pixels == PAPER).all()


def test_long_lines_and_lines_of_many_points_are_cut():
    page = blank(300, 40_000)
    across = np.linspace(0, 39_999, 200_000)
    points = np.stack([across, 150 + 40 * np.sin(across / 8_000)], axis=1)
    outline = np.concatenate([points - (0, 60), points[::-1] + (0, 30)])
    cut = cut_line(page, LineShape(points, outline))
    assert 40_000 <= cut.pixels.shape[1] < 40_200 and 90 <= cut.pixels.shape[0] < 200


@pytest.mark.parametrize(
    ("baseline", "polygon", "why"),
    [
        (((10, 10),), (), "two points"),
        (((10, 10), (10, 10)), (), "baseline"),
        (((10, 10), (float("nan"), 10)), (), "finite"),
        (((10, 10), (90, 10)), ((0, 0), (float("inf"), 0), (9, 9)), "finite"),
        (((10, 9000), (90, 9000)), (), "on the page"),
        (((-1e12, 1e12), (1e12, -1e12)), (), "on the page"),
    ],
)
def test_shapes_that_are_none_are_refused(baseline, polygon, why):
    with pytest.raises(ValueError, match=why):
        cut_line(blank(100, 100), LineShape(baseline, polygon), 30)


def test_an_absurd_line_distance_and_a_coloured_page_are_refused():
    with pytest.raises(ValueError, match="too many"):
        cut_line(blank(), LineShape(((10, 10), (700, 500))), 1e6)
    with pytest.raises(ValueError, match="grey"):
        cut_line(np.zeros((9, 9, 3), np.uint8), LineShape(((1, 1), (8, 1))))
