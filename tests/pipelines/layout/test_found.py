"""Pages are written here with a font of strokes, so that every baseline is known."""

import cv2
import numpy as np
import pytest

from pipelines.layout.found import draw_lines, find_lines
from recipes.scoring.baseline_scores import score_page

WORDS = "the quick brown fox jumps over lazy dogs and runs away from home again while rain falls on hills"
FONT = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX


def write(page, text, x, y, size=1.1, dark=40):
    """Text on a page, its baseline beginning at x, y; returns the baseline."""
    cv2.putText(page, text, (x, y), FONT, size, dark, 2, cv2.LINE_AA)
    return [(x, y), (x + cv2.getTextSize(text, FONT, size, 2)[0][0], y)]


def text_of(number, words):
    pool = WORDS.split()
    return " ".join(pool[(number * 7 + place) % len(pool)] for place in range(words))


def paper(height=1400, width=1000, seed=0):
    noise = np.random.default_rng(seed).normal(215, 3, (height, width))
    return noise.clip(0, 255).astype(np.uint8)


def letter(lines=18, words=8, page=None, x=90, y=120, step=64):
    page = paper() if page is None else page
    return page, [write(page, text_of(n, words), x, y + n * step) for n in range(lines)]


def found(page):
    return [shape.baseline for region in find_lines(page) for shape in region]


def turned(page, lines, degrees, paper=215):
    matrix = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), degrees, 1.0)
    page = cv2.warpAffine(page, matrix, page.shape[::-1], borderValue=paper)
    return page, [[tuple(matrix @ (x, y, 1)) for x, y in line] for line in lines]


def ruled(page, step=64, squares=False):
    for y in range(56, page.shape[0], step):
        page[y : y + 2] = 150
    if squares:
        for x in range(30, page.shape[1], step):
            page[:, x : x + 2] = 150
    return page


def shaded(page):
    light = np.linspace(1, 0.5, page.shape[1])
    return (page * light).astype(np.uint8)


def noisy(deviation, blur, height=1400, width=1000):
    noise = np.random.default_rng(8).normal(0, 1, (height, width))
    noise = cv2.GaussianBlur(noise, (0, 0), blur) if blur else noise
    return (200 + noise * (deviation / noise.std())).clip(0, 255).astype(np.uint8)


def specked(share, size, height=1400, width=1000):
    dots = (np.random.default_rng(9).random((height, width)) < share).astype(np.uint8)
    return np.where(cv2.dilate(dots, np.ones((size, size))) > 0, 30, 245).astype(np.uint8)


@pytest.mark.parametrize("table", [20, 120])
def test_the_edge_of_a_photographed_sheet_is_no_writing(table):
    page, lines = letter(12)
    height, width = page.shape
    sheet = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    seen = np.float32([[230, 150], [1150, 110], [1240, 1500], [110, 1430]])
    matrix = cv2.getPerspectiveTransform(sheet, seen)
    photo = cv2.warpPerspective(page, matrix, (1350, 1600), borderValue=table)
    lines = [cv2.perspectiveTransform(np.float32([line]), matrix)[0] for line in lines]
    baselines = found(photo)
    assert len(baselines) == len(lines)
    for baseline, line in zip(baselines, lines, strict=True):
        assert abs(baseline[0][0] - line[0][0]) < 25 and abs(baseline[-1][0] - line[1][0]) < 25


@pytest.mark.parametrize("degrees", [-5, 0, 3])
def test_every_line_is_found_where_it_was_written(degrees):
    page, lines = turned(*letter(), degrees)
    score = score_page(found(page), lines)
    assert score.precision > 0.97 and score.recall > 0.97


def test_lines_go_on_where_the_pen_was_faint():
    page, lines = paper(), []
    for number in range(16):
        y = 120 + 64 * number
        start, (right, _) = write(page, text_of(number, 4), 90, y, dark=120)
        _, end = write(page, text_of(number + 4, 3), right + 14, y, dark=120 if number % 3 else 178)
        lines.append([start, end])
    score = score_page(found(page), lines)
    assert score.precision > 0.98 and score.recall > 0.98


def test_words_in_between_the_lines_are_lines_of_their_own():
    page, lines = letter(lines=14, step=84)
    alone = found(page)
    assert len(alone) == len(lines), "ascenders and descenders are no line"
    added = {n: write(page, "perhaps even more", 300, 78 + 84 * n, 1.1) for n in (4, 9)}
    with_them = found(page)
    score = score_page(with_them, [*lines, *added.values()])
    assert len(with_them) == len(lines) + len(added)
    assert score.precision > 0.93 and score.recall > 0.93
    order = [np.mean(baseline, axis=0)[1] for baseline in with_them]
    assert order == sorted(order), "each is read before the line that it was put into"


@pytest.mark.parametrize("squares", [False, True])
def test_rulings_are_not_writing(squares):
    page, lines = letter(lines=8, page=ruled(paper(), squares=squares), y=184)
    assert score_page(found(page), lines).f1 > 0.95


def test_words_of_many_like_strokes_are_no_dotted_ruling():
    page, lines = paper(), []
    for number in range(20):
        y = 120 + 48 * number
        for x in range(90, 230, 6):
            cv2.line(page, (x, y), (x, y - 9), 60, 1, cv2.LINE_AA)
        lines.append([(90, y), write(page, text_of(number, 5), 240, y, 0.6)[1]])
    score = score_page(found(page), lines)
    assert score.precision > 0.97 and score.recall > 0.97


def test_dotted_rulings_and_small_print_are_not_writing():
    page = paper()
    for y in range(120, 1300, 64):
        page[y : y + 4, 60:940:8] = page[y : y + 4, 61:940:8] = 60
    cv2.putText(page, text_of(0, 22), (60, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 40, 1, cv2.LINE_AA)
    page, lines = letter(lines=10, page=page, y=184)
    assert score_page(found(page), lines).f1 > 0.95


def test_neither_shade_nor_a_dark_border_nor_what_shows_through_is_writing():
    page, lines = letter(lines=8, page=shaded(paper()))
    back = paper()
    letter(lines=18, page=back, x=40)
    page = np.minimum(
        page, (255 - 0.15 * (255 - cv2.GaussianBlur(back[:, ::-1], (0, 0), 2))).astype(np.uint8)
    )
    page = cv2.copyMakeBorder(page, 60, 60, 80, 80, cv2.BORDER_CONSTANT, value=12)
    lines = [[(x + 80, y + 60) for x, y in line] for line in lines]
    assert score_page(found(page), lines).f1 > 0.95


@pytest.mark.parametrize(
    "page",
    [
        paper(),
        ruled(paper(), squares=True),
        shaded(paper(seed=1)),
        np.zeros((900, 700), np.uint8),
        np.full((900, 700), 255, np.uint8),
        np.full((1, 1), 9, np.uint8),
        np.zeros((3, 4000), np.uint8),
        cv2.copyMakeBorder(paper(), 90, 90, 90, 90, cv2.BORDER_CONSTANT, value=0),
        noisy(30, 0),
        noisy(60, 1.5),
        noisy(90, 5),
        cv2.imdecode(cv2.imencode(".jpg", noisy(12, 0.7), [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0),
        specked(0.01, 1),
        specked(0.001, 2),
    ],
    ids=["paper", "squares", "shade", "black", "white", "one pixel", "sliver", "border"]
    + ["noise", "grain", "coarse grain", "JPEG", "specks", "dots"],
)
def test_where_nothing_is_written_nothing_is_found(page):
    assert find_lines(page) == []


def test_writing_among_grain_and_specks_is_found():
    page, lines = letter()
    grain = np.random.default_rng(5).normal(0, 12, page.shape)
    page = np.minimum((page + grain).clip(0, 255).astype(np.uint8), specked(0.0005, 1))
    assert score_page(found(page), lines).f1 > 0.95


def test_any_picture_gives_lines_on_the_page():
    """Noise, stripes and photographs may be taken for writing, but nothing fails."""
    random = np.random.default_rng(3)
    rough = random.integers(0, 256, (40, 30), dtype=np.uint8)
    pictures = [random.integers(0, 256, (h, w), dtype=np.uint8) for h, w in ((16, 16), (17, 900), (900, 17))]
    pictures += [
        cv2.resize(rough, (500, 700)),
        np.tile(np.uint8([0, 0, 0, 255, 255, 255]), (300, 80)),
        shaded(rough),
    ]
    for picture in pictures:
        height, width = picture.shape
        for shape in (shape for region in find_lines(picture) for shape in region):
            points = np.array([*shape.baseline, *shape.polygon])
            assert np.isfinite(points).all() and (points >= 0).all()
            assert (points <= (width - 1, height - 1)).all()


@pytest.mark.parametrize(
    "page", [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9)), np.zeros((0, 9), np.uint8)]
)
def test_other_arrays_are_refused(page):
    with pytest.raises(ValueError, match=r"a grey page is \(height, width\) uint8"):
        find_lines(page)


def test_a_larger_photograph_has_its_lines_at_the_same_places():
    page, lines = letter()
    large = cv2.resize(page, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert large.shape == (5600, 4000)
    baselines = [[(x / 4, y / 4) for x, y in line] for line in found(large)]
    assert score_page(baselines, lines).f1 > 0.97


def test_baselines_run_to_the_right_and_polygons_hold_their_ink_and_not_their_neighbours():
    page, lines = letter(lines=8)
    shapes = [shape for region in find_lines(page) for shape in region]
    assert len(shapes) == len(lines)
    for shape, number in zip(shapes, range(8), strict=True):
        assert (np.diff(np.array(shape.baseline)[:, 0]) > 0).all()
        alone = np.full_like(page, 215)
        write(alone, text_of(number, 8), *lines[number][0])
        inside = cv2.fillPoly(np.zeros_like(page), [np.rint(shape.polygon).astype(np.int32)], 1) > 0
        ink, others = alone < 130, (page < 130) & (alone >= 130)
        assert (ink & inside).sum() > 0.97 * ink.sum()
        assert (others & inside).sum() < 0.05 * ink.sum()


def test_columns_are_read_one_after_the_other_under_their_common_head():
    page = paper(width=1300)
    write(page, text_of(0, 11), 90, 110)
    for number in range(10):
        write(page, text_of(number, 4), 90, 260 + number * 64)
        write(page, text_of(number + 1, 4), 720, 260 + number * 64)
    head, left, right = find_lines(page)
    assert (len(head), len(left), len(right)) == (1, 10, 10)
    for region in (left, right):
        heights = [shape.baseline[0][1] for shape in region]
        assert heights == sorted(heights)
    assert max(shape.baseline[-1][0] for shape in left) < min(shape.baseline[0][0] for shape in right)


def test_lines_side_by_side_within_a_text_are_read_in_their_places():
    page, _ = letter(lines=6)
    write(page, "as follows below", 90, 504)
    write(page, "the others ran", 440, 530)
    write(page, "so be it", 180, 556)
    letter(lines=6, page=page, y=600)
    order = [np.mean(baseline, axis=0)[1] for baseline in found(page)]
    assert len(order) == 15 and order == sorted(order)


def test_a_note_in_the_margin_is_a_region_of_its_own():
    page, lines = letter(lines=14, words=5, x=330, page=paper())
    lines.append(write(page, "a note", 120, 120 + 5 * 64))
    regions = find_lines(page)
    assert sorted(len(region) for region in regions) == [1, 14]
    assert score_page(found(page), lines).f1 > 0.95


def test_a_short_and_a_single_line_are_found():
    page = paper()
    lines = [write(page, text_of(1, 6), 90, 600)]
    assert score_page(found(page), lines).f1 > 0.95
    page, lines = letter(lines=6)
    lines.append(write(page, "17", 480, 1250))
    assert score_page(found(page), lines).f1 > 0.95


def test_lines_are_drawn_in_colour_over_their_page():
    page, _ = letter(lines=4)
    regions = find_lines(page)
    picture = draw_lines(page, regions)
    assert picture.shape == (*page.shape, 3) and picture.dtype == np.uint8
    coloured = picture.max(axis=2).astype(int) - picture.min(axis=2) > 60
    for shape in regions[0]:
        x, y = np.rint(np.mean(shape.baseline[:2], axis=0)).astype(int)
        assert coloured[y - 3 : y + 4, x - 3 : x + 4].any()
    assert not coloured[900:].any()
    assert (draw_lines(page, []) == page[..., None]).all()
