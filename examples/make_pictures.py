"""Rebuilds examples/pictures: plain drawings of shapes that also exist as emoji.

python examples/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

HERE = Path(__file__).parent / "pictures"
SIDE, FINER = 128, 4  # pixels; drawn this many times larger, then reduced
COLOURS = {
    "red": (240, 60, 50),
    "blue": (25, 115, 210),
    "green": (120, 175, 65),
    "orange": (250, 148, 10),
    "purple": (150, 60, 190),
}
SHADE = 0.05  # width of the shaded edge, as a fraction of the side
LIGHT = (0.13, 0.11, 0.37, 0.33)  # box of the highlight, as fractions of the side


def outline(shape: str) -> Image.Image:
    """The shape as a mask, (size, size)."""
    size = SIDE * FINER
    mask = Image.new("L", (size, size))
    draw = ImageDraw.Draw(mask)

    def scaled(*places: float) -> list[float]:
        return [place * size for place in places]

    if shape == "circle":
        draw.ellipse(scaled(0.03, 0.03, 0.97, 0.97), 255)
    elif shape == "square":
        draw.rounded_rectangle(scaled(0.03, 0.03, 0.97, 0.97), 0.05 * size, 255)
    else:
        for left in (0.03, 0.45):
            draw.ellipse(scaled(left, 0.06, left + 0.52, 0.58), 255)
        draw.polygon(scaled(0.085, 0.48, 0.5, 0.94, 0.915, 0.48, 0.5, 0.3), 255)
    return mask


def drawn(shape: str, colour: tuple[int, int, int]) -> Image.Image:
    """The shape in its colour, lit from the upper left."""
    mask = outline(shape)
    size = mask.width
    lit = ImageChops.multiply(mask, ImageChops.offset(mask, -round(SHADE * size), -round(SHADE * size / 2)))
    shine = Image.new("L", mask.size)
    ImageDraw.Draw(shine).ellipse([place * size for place in LIGHT], 110)
    picture = Image.new("RGB", mask.size, "white")
    picture.paste(tuple(round(0.72 * each) for each in colour), mask=mask)
    picture.paste(colour, mask=lit)
    picture.paste((255, 255, 255), mask=ImageChops.multiply(shine, lit))
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


NAMES = (
    "blue heart",
    "green heart",
    "purple heart",
    "blue circle",
    "green circle",
    "orange circle",
    "orange square",
    "blue square",
)
HARD = ("red heart",)  # two emoji look like this one: "red heart" and "heart suit"


def main() -> None:
    for name in NAMES + HARD:
        colour, shape = name.split()
        stem = ("hard-" if name in HARD else "") + f"{colour}-{shape}"
        drawn(shape, COLOURS[colour]).save(HERE / f"{stem}.png", optimize=True)
        (HERE / f"{stem}.txt").write_text(f"{name}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
