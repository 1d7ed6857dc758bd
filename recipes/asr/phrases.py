"""Phrases for synthetic voices: digits, letters, numbers, dates, names, commands, single words.

A phrase has two forms: what a voice is given, where letters are separated by commas so that each is spoken by
its name, and the text that a model is to write.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from importlib.resources import files

WORDS = tomllib.loads(files("recipes.asr").joinpath("phrases.toml").read_text())
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Phrase = tuple[str, str]


def phrase(chooser: random.Random, sentences: Sequence[str] = ()) -> Phrase:
    """A random phrase: what a voice says, and its text in capitals.

    Args:
        sentences: of which parts are taken now and then.
    """
    kinds = [digits, spelled, form, date, amount, person, address, order, word, common]
    weights = [16, 22, 12, 8, 8, 5, 4, 8, 12, 6]
    (kind,) = chooser.choices(kinds, weights)
    if sentences and chooser.random() < 0.08:
        words = chooser.choice(sentences).split()
        start = chooser.randrange(len(words))
        said = " ".join(words[start : start + chooser.randint(3, 8)])
        text = said.replace(",", "")
    else:
        said, text = kind(chooser)
    return said, text.upper()


def digits(chooser: random.Random) -> Phrase:
    names = ["oh" if chooser.random() < 0.15 else WORDS["digits"][0], *WORDS["digits"][1:]]
    said = [chooser.choice(names) for _ in range(chooser.choice((1, 2, 3, 4, 4, 5, 5, 7, 7, 10)))]
    parted = chooser.random() < 0.3
    return (", " if parted else " ").join(said), " ".join(said)


def spelled(chooser: random.Random) -> Phrase:
    names = chooser.choice((WORDS["first"], WORDS["last"], WORDS["cities"], None, None))
    size = chooser.randint(1, 8)
    letters = chooser.choice(names) if names else "".join(chooser.choice(LETTERS) for _ in range(size))
    return ", ".join(letters.upper()), " ".join(letters)


def form(chooser: random.Random) -> Phrase:
    if chooser.random() < 0.3:
        word = chooser.choice(WORDS["forms"])
        return word, word
    parts = [(each, each) for each in [chooser.choice(("enter", "rubout", "erase", "rubout"))]]
    for _ in range(chooser.randint(1, 6)):
        kind = chooser.random()
        if kind < 0.5:
            letter = chooser.choice(LETTERS)
            parts.append((letter.upper(), letter))
        else:
            number = (
                chooser.choice(WORDS["digits"][1:]) if kind < 0.75 else two_digits(chooser.randint(10, 99))
            )
            parts.append((number, number))
    return ", ".join(said for said, _ in parts), " ".join(text for _, text in parts)


def date(chooser: random.Random) -> Phrase:
    day = chooser.randint(1, 31)
    ordinal = (
        WORDS["ordinals"][day - 1]
        if day <= 20
        else f"{WORDS['tens'][day // 10 - 2]} {WORDS['ordinals'][day % 10 - 1]}"
    )
    ordinal = "thirtieth" if day == 30 else ordinal
    year = f"{chooser.choice(('nineteen', 'twenty', 'eighteen'))} {two_digits(chooser.randint(10, 99))}"
    said = f"{chooser.choice(WORDS['months'])} {ordinal}"
    said += f" {year}" if chooser.random() < 0.7 else ""
    said = f"{chooser.choice(WORDS['days'])} {said}" if chooser.random() < 0.2 else said
    return said, said


def two_digits(number: int) -> str:
    if number < 10:
        return WORDS["digits"][number]
    if number < 20:
        return WORDS["teens"][number - 10]
    return WORDS["tens"][number // 10 - 2] + (f" {WORDS['digits'][number % 10]}" if number % 10 else "")


def cardinal(number: int) -> str:
    thousands, hundreds, rest = number // 1000, number // 100 % 10, number % 100
    parts = [f"{two_digits(thousands)} thousand"] if thousands else []
    parts += [f"{WORDS['digits'][hundreds]} hundred"] if hundreds else []
    parts += ["and"] * bool(parts and rest and number % 3 == 0)
    return " ".join(parts + [two_digits(rest)] * bool(rest or not parts))


def amount(chooser: random.Random) -> Phrase:
    said = cardinal(
        chooser.choice((chooser.randint(0, 99), chooser.randint(100, 999), chooser.randint(1000, 99999)))
    )
    return said, said


def person(chooser: random.Random) -> Phrase:
    said = f"{chooser.choice(WORDS['first'])} {chooser.choice(WORDS['last'])}"
    return said, said


def address(chooser: random.Random) -> Phrase:
    number = two_digits(chooser.randint(1, 99))
    parts = [chooser.choice(WORDS[name]) for name in ("last", "streets", "cities")]
    said = " ".join([number, *parts])
    return said, said


def order(chooser: random.Random) -> Phrase:
    said = chooser.choice(WORDS["orders"]).format(
        chooser.choice(WORDS["things"]),
        n=two_digits(chooser.randint(1, 60)),
        name=chooser.choice(WORDS["first"]),
        city=chooser.choice(WORDS["cities"]),
        day=chooser.choice(WORDS["days"]),
    )
    return said, said


def word(chooser: random.Random) -> Phrase:
    said = (
        chooser.choice(WORDS["pairs"])
        if chooser.random() < 0.2
        else chooser.choice(WORDS["words"] + WORDS["digits"])
    )
    return said, said


def common(chooser: random.Random) -> Phrase:
    said = " ".join(chooser.choice(WORDS["common"]) for _ in range(chooser.randint(1, 6)))
    return said, said
