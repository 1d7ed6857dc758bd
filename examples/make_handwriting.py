"""Rebuilds examples/handwriting: sentences set in handwriting fonts and made to look scanned.

Needs a folder with the fonts named in FONTS, as Google Fonts publishes them (SIL Open Font License 1.1,
no reserved names); triscribe itself does not use them:

    python examples/make_handwriting.py --fonts FOLDER
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent / "handwriting"
FONTS = {
    "aurore": "la-belle-aurore.ttf",
    "caveat": "caveat.ttf",
    "kalam": "kalam.ttf",
    "mansalva": "mansalva.ttf",
    "pinyon": "pinyon-script.ttf",
}
X_HEIGHT = 24  # pixels, of every font
PAPER = 228
SPACING = 1.55  # from line to line, in font sizes

LINES = {
    "letter-en": ("caveat", "We have had no rain since the second week of April."),
    "garden-en": ("mansalva", "The seeds you sent me came up within a fortnight."),
    "parcel-en": ("kalam", "Please return the parcel by Tuesday, 14 March."),
    "hard-en": ("pinyon", "Pray forgive the haste in which I write this note."),
    "voyage-fr": ("pinyon", "Nous avons quitté le port à six heures du matin."),
    "market-fr": ("kalam", "Le marché ferme à midi, même en été."),
    "lettre-fr": ("aurore", "Ma chère amie, votre lettre du 3 mai est arrivée hier."),
}
PAGES = {
    "page-en": (
        "kalam",
        """
        My dear friend,
        Your letter reached me only this morning,
        for the post has been slow ever since the
        bridge was closed. I have copied the list
        of plants that you asked for, and marked
        with a cross those that are still missing.
        The small ferns travelled well; of the nine
        that I packed in moss, seven are alive.

        Pray send word when the next box is ready,
        and I shall have it fetched from the station.
        """,
    ),
    "page-fr": (
        "aurore",
        """
        Lundi 7 octobre
        Il a plu toute la nuit et la route est coupée
        près du moulin. Nous restons donc à l'auberge,
        où l'on nous a donné une chambre sous le toit.
        Le patron raconte des histoires de loups ;
        personne ne le croit, mais tout le monde écoute.

        Mardi 8 octobre
        Temps clair. Départ à huit heures, arrivée au
        col vers midi. Deux lettres à la poste.
        """,
    ),
}


@dataclass(frozen=True)
class Row:
    """A line of writing: its text, and its baseline and outline in pixels."""

    text: str
    baseline: np.ndarray
    polygon: np.ndarray


def written(
    lines: list[str], font: ImageFont.FreeTypeFont, rng: np.random.Generator, margin: int
) -> tuple[np.ndarray, list[Row]]:
    """Ink from 0 to 1, (height, width), set with an unsteady baseline; and where each line lies."""
    size = font.size
    width = round(max(font.getlength(line) for line in lines) * 1.08) + 2 * margin
    height = round(SPACING * size * (len(lines) - 1) + 1.5 * size) + 2 * margin
    sheet = Image.new("L", (width, height), 0)
    draw, rows = ImageDraw.Draw(sheet), []
    for number, line in enumerate(lines):
        bottom = margin + size + SPACING * size * number
        left = x = margin + rng.uniform(0, 0.4) * size * (len(lines) > 1)
        drift, slope = rng.uniform(0, 6), rng.normal(0, 0.006)
        for word in line.split(" "):
            y = bottom + slope * x + 0.02 * size * np.sin(x / (4 * size) + drift)
            draw.text((x, y), word, font=font, fill=round(rng.uniform(190, 255)), anchor="ls")
            x += font.getlength(word) + font.getlength(" ") * rng.uniform(1.1, 1.5)
        if line:
            ends = np.array([[left, bottom + slope * left], [x, bottom + slope * x]])
            outline = np.concatenate([ends - (0, 0.95 * size), ends[::-1] + (0, 0.45 * size)])
            rows.append(Row(line, ends, outline))
    return np.asarray(sheet, np.float32) / 255, rows


def noise(shape: tuple[int, int], grain: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise of unit deviation with features of `grain` pixels."""
    small = rng.normal(size=[max(2, round(side / grain) + 2) for side in shape]).astype(np.float32)
    large = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (large - large.mean()) / large.std()


def scanned(ink: np.ndarray, rng: np.random.Generator, turn: float) -> tuple[np.ndarray, np.ndarray]:
    """A scan of the ink, (height, width, 3) uint8, and the (2, 3) affine matrix by which it was turned."""
    height, width = ink.shape
    # No two letters of a hand are the same: warp the sheet a little and vary the pressure of the pen.
    down, across = np.mgrid[:height, :width].astype(np.float32)
    bent = cv2.remap(
        ink,
        across + 1.3 * noise(ink.shape, 45, rng),
        down + 1.3 * noise(ink.shape, 45, rng),
        cv2.INTER_LINEAR,
    )
    pressed = np.clip(bent * (0.86 + 0.12 * noise(ink.shape, 30, rng)), 0, 1)
    pressed = cv2.GaussianBlur(pressed, (0, 0), 0.8)
    behind = cv2.GaussianBlur(np.roll(ink[:, ::-1], (11, 17), (0, 1)), (0, 0), 2.5)  # shows through
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    pressed, behind = (cv2.warpAffine(layer, matrix, (width, height)) for layer in (pressed, behind))
    paper = PAPER + 5 * noise(ink.shape, max(width, height) / 3, rng) + 2.5 * noise(ink.shape, 6, rng)
    grey = paper * (1 - 0.06 * behind) * (1 - 0.78 * pressed) + rng.normal(0, 2.5, ink.shape)
    tint = np.array([1.0, 0.97, 0.89]) * grey[..., None] + np.array([4, 8, 34]) * pressed[..., None]
    return np.clip(tint, 0, 255).astype(np.uint8), matrix


def page_xml(name: str, image: np.ndarray, rows: list[Row], matrix: np.ndarray) -> str:
    """PAGE XML with the outlines and baselines of the lines, without text."""

    def points(places: np.ndarray) -> str:
        turned = places @ matrix[:, :2].T + matrix[:, 2]
        limit = np.array(image.shape[1::-1]) - 1
        return " ".join(f"{x},{y}" for x, y in turned.round().astype(int).clip(0, limit))

    corners = np.concatenate([row.polygon for row in rows])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    around = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    lines = "\n".join(
        f'      <TextLine id="l{number}"><Coords points="{points(row.polygon)}"/>'
        f'<Baseline points="{points(row.baseline)}"/></TextLine>'
        for number, row in enumerate(rows, start=1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
  <Metadata><Creator>examples/make_handwriting.py</Creator><Created>2024-01-01T00:00:00</Created>
    <LastChange>2024-01-01T00:00:00</LastChange></Metadata>
  <Page imageFilename="{escape(name)}" imageWidth="{image.shape[1]}" imageHeight="{image.shape[0]}">
    <TextRegion id="r1"><Coords points="{points(around)}"/>
{lines}
    </TextRegion>
  </Page>
</PcGts>
"""


def font_of_x_height(path: Path, height: int) -> ImageFont.FreeTypeFont:
    """The font at the size that makes its letter x so many pixels high."""
    _, top, _, bottom = ImageFont.truetype(path, 100).getbbox("x")
    return ImageFont.truetype(path, round(100 * height / (bottom - top)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True, help="folder that holds the fonts")
    folder = parser.parse_args().fonts
    fonts = {name: font_of_x_height(folder / file, X_HEIGHT) for name, file in FONTS.items()}
    HERE.mkdir(exist_ok=True)
    for seed, (name, (font, text)) in enumerate((LINES | PAGES).items()):
        rng = np.random.default_rng(seed)
        lines = [line.strip() for line in text.strip().split("\n")]
        margin, turn = (90, 1.2) if name in PAGES else (14, 0.5)
        ink, rows = written(lines, fonts[font], rng, margin)
        image, matrix = scanned(ink, rng, rng.uniform(-turn, turn))
        Image.fromarray(image).save(HERE / f"{name}.jpg", quality=72)
        (HERE / f"{name}.txt").write_text("".join(row.text + "\n" for row in rows), encoding="utf-8")
        if name == "page-en":
            (HERE / f"{name}.xml").write_text(page_xml(f"{name}.jpg", image, rows, matrix), encoding="utf-8")


if __name__ == "__main__":
    main()
