"""What paper, pen and scanner make of a drawn line: it wavers, ink runs, paper is ruled, stained and grey."""

from __future__ import annotations

import cv2
import numpy as np

RULED, SQUARED, UNDERLINED = 0.22, 0.08, 0.05  # shares of lines on ruled or squared paper, and underlined
CROWDED = 0.4  # share of lines into which those above and below reach
BLED_THROUGH = 0.25  # share of lines with the back of the page showing
STAINED = 0.15  # share of lines on stained paper
COARSE, COMPRESSED, BLURRED = 0.25, 0.5, 0.35  # shares of coarse, JPEG-compressed and blurred scans
NEGATIVE = 0.02  # share of light writing on dark ground
CRUDE = 0.08  # share of lines in black and white only


def scanned(ink: np.ndarray, baseline: int, x_height: int, chance: np.random.Generator) -> np.ndarray:
    """A line as a scan shows it.

    Args:
        ink: (height, width) uint8, ink 255, paper 0.
        baseline: row on which letters stand.
        x_height: rows that the letter x has.
        chance: all that is random comes from it.

    Returns:
        (new height, new width) uint8 grey.
    """
    below = baseline + x_height * chance.uniform(0.0, 0.3)  # where a rule runs
    ink = _wavering(ink, baseline, x_height, chance)
    ink = _penned(ink, x_height, chance)
    height, width = ink.shape
    pale = np.zeros((height, width), np.float32)  # what is no ink of this line, from 0 to 1
    if chance.random() < CROWDED:
        ink = _crowded(ink, x_height, chance)
    if chance.random() < BLED_THROUGH:
        back = np.roll(ink[:, ::-1], chance.integers((height, width)), axis=(0, 1))
        back = cv2.GaussianBlur(back, (0, 0), x_height * chance.uniform(0.03, 0.12))
        pale = np.maximum(pale, back * np.float32(chance.uniform(0.1, 0.5) / 255))
    pale = _ruled(pale, below, x_height, chance)
    amount = ink.astype(np.float32) / 255
    if chance.random() < 0.6:  # ink runs short, along the line and in strokes
        amount *= _field((height, width), x_height * chance.uniform(0.3, 4.0), chance, 0.35, 1.0)
    paper = chance.uniform(120, 255)
    darkest = paper * chance.uniform(0.0, 0.65)
    grey = paper + (darkest - paper) * np.maximum(amount, pale)
    if chance.random() < 0.5:
        grey += _field(
            (height, width), height * chance.uniform(0.5, 4.0), chance, -1.0, 1.0
        ) * chance.uniform(3, 25)
    if chance.random() < STAINED:
        grey -= _stains((height, width), chance) * chance.uniform(10, 60)
    if chance.random() < BLURRED:
        grey = cv2.GaussianBlur(grey, (0, 0), height / 64 * chance.uniform(0.4, 1.3))
    if chance.random() < 0.7:
        grain = chance.standard_normal((height, width), np.float32)
        if chance.random() < 0.5:
            grain = cv2.GaussianBlur(grain, (0, 0), chance.uniform(0.5, 1.2)) * 2
        grey += grain * np.float32(chance.uniform(0.5, 9.0))
    return _stored(grey, chance)


def _stored(grey: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """The line in the size and the format of a file."""
    height, width = grey.shape
    if chance.random() < COARSE and height > 40:
        rows = int(chance.integers(26, 44))
        grey = cv2.resize(grey, (max(4, round(width * rows / height)), rows), interpolation=cv2.INTER_AREA)
    if chance.random() < CRUDE:
        low, high = float(grey.min()), float(grey.max())
        grey = np.where(grey < low + (high - low) * chance.uniform(0.45, 0.7), low, high)
    pixels = grey.clip(0, 255).astype(np.uint8)
    if chance.random() < NEGATIVE:
        pixels = 255 - pixels
    if chance.random() < COMPRESSED:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(20, 90))]
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_GRAYSCALE)
    return pixels


def _wavering(ink: np.ndarray, baseline: int, x_height: int, chance: np.random.Generator) -> np.ndarray:
    """Slant, rise, width, and letters of varying place, size and shape, in a single resampling."""
    height, width = ink.shape
    unsteady = chance.random() ** 1.5  # from a machine's hand to one in a hurry
    stretch = chance.uniform(0.8, 1.25)
    slant = chance.normal(0, 0.18)
    rise = chance.normal(0, 0.02) * height * min(1.0, width / (6 * height))
    tall, wide = chance.uniform(0.9, 1.1), max(8, round(width * stretch))
    letters = max(2, round(wide / (x_height * chance.uniform(0.7, 1.3)))) + 2
    words = max(2, round(letters / 5)) + 2

    def along(count: int, deviation: float) -> np.ndarray:
        """(1, wide) of a smooth random course with so many turns."""
        knots = chance.standard_normal((1, count), np.float32) * np.float32(deviation)
        return cv2.resize(knots, (wide, 1), interpolation=cv2.INTER_CUBIC)

    x = np.arange(wide, dtype=np.float32)[None] / np.float32(stretch)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(baseline)
    aside = along(letters, 0.1 * unsteady * x_height) + along(words, 0.15 * unsteady * x_height)
    shift = along(letters, 0.07 * unsteady * x_height) + along(words, 0.12 * unsteady * x_height)
    shift += np.float32(rise) * (x * np.float32(stretch / wide) - np.float32(0.5))
    size = np.float32(tall) * (1 + along(letters, 0.07 * unsteady) + along(words, 0.06 * unsteady))
    lean = np.float32(slant) + along(words, 0.06 * unsteady)
    from_y = (y - shift) / size.clip(0.6, 1.6) + np.float32(baseline)
    from_x = x + aside + lean * y
    if unsteady > 0.2:
        cells = 2, max(2, round(2 * height / x_height)), max(2, round(2 * wide / x_height))
        field = chance.standard_normal(cells, np.float32) * np.float32(0.06 * unsteady * x_height)
        from_x += cv2.resize(field[0], (wide, height), interpolation=cv2.INTER_LINEAR)
        from_y += cv2.resize(field[1], (wide, height), interpolation=cv2.INTER_LINEAR)
    return cv2.remap(ink, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _penned(ink: np.ndarray, x_height: int, chance: np.random.Generator) -> np.ndarray:
    """Thicker or thinner strokes, by up to about a sixth of the letter x."""
    change = chance.normal(0.15, 0.45)
    width = min(2 * max(1, round(x_height / 14)) + 1, 7)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width) if change > 0 else (3, 3))
    other = cv2.dilate(ink, kernel) if change > 0 else cv2.erode(ink, kernel)
    share = min(abs(change), 1.0 if change > 0 else 0.6)
    return cv2.addWeighted(ink, 1 - share, other, share, 0)


def _crowded(ink: np.ndarray, x_height: int, chance: np.random.Generator) -> np.ndarray:
    """Lines above and below, of the same hand, as far as they reach into the picture."""
    height, width = ink.shape
    apart = round(chance.uniform(2.2, 3.5) * x_height)
    for step in (-apart, apart):
        if abs(step) < height and chance.random() < 0.7:
            other = np.roll(ink, int(chance.integers(width)), axis=1)
            rows = slice(max(0, step), height + min(0, step))
            ink = ink.copy()
            ink[rows] = np.maximum(ink[rows], other[max(0, -step) : height - max(0, step)])
    return ink


def _ruled(pale: np.ndarray, below: float, x_height: int, chance: np.random.Generator) -> np.ndarray:
    """Rules, squares, an underline, a margin."""
    height, width = pale.shape
    kind, thick = chance.random(), max(1, round(height / 64 * chance.uniform(0.6, 2.2)))
    fall, shade = chance.normal(0, 0.012) * width * min(1.0, 8 * height / width), chance.uniform(0.15, 0.8)

    def line(first: tuple[float, float], last: tuple[float, float]) -> None:
        ends = [tuple(round(value) for value in point) for point in (first, last)]
        cv2.line(pale, *ends, shade, thick, cv2.LINE_AA if thick > 1 else cv2.LINE_8)

    if kind < RULED:
        apart = x_height * chance.uniform(2.2, 3.6)
        for place in (below - apart, below, below + apart):
            line((0, place - fall / 2), (width, place + fall / 2))
    elif kind < RULED + SQUARED:
        apart = x_height * chance.uniform(0.8, 2.2)
        for place in np.arange(below % apart, height, apart):
            line((0, place - fall / 2), (width, place + fall / 2))
        for place in np.arange(chance.uniform(0, apart), width, apart):
            line((place, 0), (place - fall / width * height, height))
    elif kind < RULED + SQUARED + UNDERLINED:
        start = chance.uniform(0, 0.7) * width
        line((start, below), (min(width, start + chance.uniform(0.1, 1.0) * width), below + fall))
    if chance.random() < 0.06:
        place = chance.choice([chance.uniform(0, x_height), width - chance.uniform(0, x_height)])
        line((place, 0), (place, height))
    return pale


def _field(
    shape: tuple[int, int], size: float, chance: np.random.Generator, low: float, high: float
) -> np.ndarray:
    """(height, width) of smooth random values between two, that change over about `size` pixels."""
    cells = [max(2, round(length / max(2.0, size)) + 1) for length in shape]
    field = chance.random(cells, np.float32) * np.float32(high - low) + np.float32(low)
    return cv2.resize(field, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _stains(shape: tuple[int, int], chance: np.random.Generator) -> np.ndarray:
    """(height, width) from 0 to 1: a few blots with soft edges."""
    stains = np.zeros(shape, np.float32)
    for _ in range(int(chance.integers(1, 4))):
        centre = int(chance.integers(shape[1])), int(chance.integers(shape[0]))
        axes = [max(1, round(shape[0] * chance.uniform(0.05, 0.7))) for _ in range(2)]
        cv2.ellipse(stains, centre, axes, chance.uniform(0, 180), 0, 360, chance.uniform(0.3, 1.0), -1)
    return cv2.GaussianBlur(stains, (0, 0), shape[0] * chance.uniform(0.02, 0.1))
