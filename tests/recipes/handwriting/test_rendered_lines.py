"""Rendered lines: what they say, in which letters, and that they depend on nothing but seed and number."""

import random
import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont

from decoders.alphabet import Normalisation
from pipelines.errors import DataError
from recipes.data.datasets import read_handwriting
from recipes.handwriting import rendered_lines
from recipes.handwriting.line_texts import LineTexts
from recipes.handwriting.options import HandwritingOptions
from recipes.handwriting.recipe import Handwriting
from recipes.handwriting.rendered_lines import RenderedLines, font_files, written_by
from recipes.handwriting.scans import scanned
from recipes.handwriting.task import Rendered
from tests.recipes.handwriting.test_recipe import options_for, write_lines

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
SANS = FONTS / "DejaVuSans.ttf"
BOOK = "The 3 dogs, 'late' as ever; never lay down by the fire. Où est l’été? À « Liège ». " * 20
LETTERS = set(BOOK) | set("0123456789.,-") | {chr(code) for code in range(33, 127)}


def lines_of(*fonts: Path, text: str = BOOK, letters: set[str] = LETTERS, seed: int = 1) -> RenderedLines:
    return RenderedLines(fonts, LineTexts([text], range(10, 30)), letters, seed)


def without(font: Path, file: Path, *letters: str, **drawn_as: str) -> Path:
    """The font without some letters in its character map, and with some drawn as others."""
    with TTFont(font) as changed:
        for table in changed["cmap"].tables:
            for letter in letters:
                table.cmap.pop(ord(letter), None)
            for letter, other in drawn_as.items():
                if ord(other) in table.cmap:
                    table.cmap[ord(letter)] = table.cmap[ord(other)]
        changed.save(file)
    return file


def test_a_line_depends_on_its_seed_and_number_alone():
    one, other = lines_of(SANS), lines_of(SANS)
    forth, back = (
        [lines.image(number) for number in order] for lines, order in ((one, range(4)), (other, (3, 2, 1, 0)))
    )
    assert all(np.array_equal(*pair) for pair in zip(forth, reversed(back), strict=True))
    assert [one.text(number) for number in range(9)] == [other.text(number) for number in range(9)]
    assert len({lines_of(SANS, seed=seed).image(0).tobytes() for seed in range(4)}) == 4


def test_a_font_writes_only_letters_that_it_has(tmp_path):
    font = without(SANS, tmp_path / "font.ttf", "é", "à", "À", "w", "3", "«", "»")
    lines = lines_of(font)
    said = {letter for number in range(60) for letter in lines.text(number)}
    assert said and not said & set("éàÀw3«»")
    assert said <= LETTERS | {" "}


def test_glyphs_that_are_empty_or_drawn_as_others_are_not_written(tmp_path):
    font = without(SANS, tmp_path / "font.ttf", é="e", b="B", x=" ")
    assert written_by(SANS, "abéxB") == set("abéxB ")
    assert written_by(font, "abéxB") == set("aB ")


def test_a_folder_without_a_usable_font_is_one_line(tmp_path):
    with pytest.raises(DataError, match="has no fonts"):
        font_files(tmp_path)
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(DataError, match=r"broken.ttf: is no font"):
        lines_of(*font_files(tmp_path))
    with pytest.raises(DataError, match="no font there has the letters of the data"):
        lines_of(SANS, letters=set("漢字"))


def test_lines_are_about_as_long_as_those_of_the_data_and_say_what_texts_say():
    texts, chance = LineTexts([BOOK], [20]), random.Random(0)
    lines = [texts.line(chance) for _ in range(300)]
    assert 12 < np.median([len(line) for line in lines]) <= 22
    assert sum(line.strip("., ") in BOOK.replace("’", "'") for line in lines) > 150
    assert any(line.isupper() for line in lines) and any(
        letter.isdigit() for line in lines for letter in line
    )


def test_words_of_a_list_are_taken_one_by_one():
    words = [f"w{number}" for number in range(500)]
    texts, chance = LineTexts(["\n".join(words)], [30]), random.Random(0)
    lines = [line for line in (texts.line(chance) for _ in range(50)) if set(line.split()) <= set(words)]
    numbers = [int(word[1:]) for line in lines for word in line.split()]
    assert len(lines) > 20 and np.abs(np.diff(numbers)).mean() > 50


def test_without_raqm_a_note_is_given(monkeypatch):
    monkeypatch.setattr(rendered_lines.features, "check", lambda name: False)
    with pytest.warns(UserWarning, match="no Raqm library"):
        lines_of(SANS)


@pytest.mark.parametrize("seed", range(40))
def test_a_scan_of_any_line_shows_ink_on_paper(seed):
    chance = np.random.default_rng(seed)
    ink = np.zeros((int(chance.integers(20, 120)), int(chance.integers(8, 900))), np.uint8)
    ink[len(ink) // 2 :: 3, ::2] = 255
    pixels = scanned(ink, len(ink) * 2 // 3, max(3, len(ink) // 3), chance)
    assert pixels.dtype == np.uint8 and pixels.ndim == 2 and min(pixels.shape) > 3
    assert pixels.max() > pixels.min()


def test_an_epoch_has_new_rendered_lines_and_batches_that_repeat(tmp_path):
    data = write_lines(tmp_path / "data", [("ab ba", "ab ba"), ("abba", "abba")] * 4)
    shutil.copy(SANS, tmp_path)
    options = options_for(data, out=tmp_path / "out", fonts=tmp_path, rendered=0.5)
    recipe = Handwriting(options)
    splits, _ = recipe.read_splits(recipe.manifests(), Normalisation())
    model = recipe.build(None, Normalisation(), splits["train"])
    task = recipe.training_task(model, splits["train"], splits["valid"])
    seen = []
    for epoch in (0, 0, 1):
        batches = [maker() for maker in task.batches(epoch)]
        assert sum(len(targets) for _, targets, _ in batches) == 2 * len(splits["train"])
        assert all(len(targets) == len(inputs[1]) for inputs, targets, _ in batches)
        seen.append([inputs[0].numpy().tobytes() for inputs, _, _ in batches])
    assert seen[0] == seen[1] != seen[2]
    drawn = task._rendered(5)
    assert isinstance(drawn, Rendered) and model.decode(drawn.labels) == task.lines.text(5)
    assert set(task.lines.text(5)) <= set("ab ")


def test_texts_are_for_made_lines_or_a_language_model(tmp_path):
    with pytest.raises(
        ValueError, match="texts are for --language-model, --compose, --fonts: give one of these too"
    ):
        HandwritingOptions(texts=(tmp_path,))
    HandwritingOptions(texts=(tmp_path,), language_model=6)
    with pytest.raises(ValueError, match="rendered lines are new ones"):
        HandwritingOptions(fonts=tmp_path, load="handwriting-fr", freeze=True, views=2)


def test_rendered_lines_are_written_as_a_data_set(tmp_path, capsys):
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    shutil.copy(SANS, tmp_path)
    arguments = [
        "--fonts",
        str(tmp_path),
        "--texts",
        str(tmp_path / "book.txt"),
        "--out",
        str(tmp_path / "set"),
    ]
    assert rendered_lines.main([*arguments, "--count", "3"]) == 0
    items = read_handwriting(tmp_path / "set", None).items
    assert len(items) == 3 and all(item.target and item.split == "test" for item in items)
    assert rendered_lines.main([*arguments[:1], str(tmp_path / "set"), *arguments[2:]]) == 1
    assert "has no fonts" in capsys.readouterr().err
