"""What rendered lines say: running text, words from lists, and what books are short of.

Books have few numbers, dates, amounts, addresses, abbreviations and words in capitals, and what people write
by hand is full of them.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence

from recipes.handwriting.pieces import cut_out
from recipes.learning.carrying import is_list

NOTED = 0.06  # share of lines that are nothing but a date, an amount, an address or the like
INSERTED = 0.12  # share of lines of running text with one of these in it
CAPITALS, TITLES = 0.04, 0.03  # share of lines in capitals, and with all words capitalised
SENTENCES = 0.1  # share of lines that begin with a capital and end with a full stop or the like

MONTHS = (
    "January February March April May June July August September October November December Jan. Feb. Aug. "
    "Sept. Oct. Nov. Dec. janvier février mars avril mai juin juillet août septembre octobre novembre "
    "décembre"
)
DAYS = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday "
    "lundi mardi mercredi jeudi vendredi samedi dimanche"
)
STREETS = "Street St. Road Rd. Avenue Ave. Lane Square Terrace Place"
RUES = "rue|rue de|rue du|avenue|avenue de|boulevard|bd|place|chemin|quai|impasse"
SHORT = (
    "Mr. Mrs. Ms. Dr. Prof. Rev. Capt. Esq. Hon. St. Co. Ltd. Inc. No. Vol. pp. p. fig. viz. i.e. e.g. etc. "
    "&c. c/o a.m. p.m. ult. inst. prox. P.S. N.B. R.S.V.P. M. Mme Mlle MM. Mgr Dr Me av. apr. J.-C. n° art. "
    "chap. éd. cf. env. s.d. s.l. ibid. op. cit. 1er 1re 2e 3e XIXe XVIIIe No VI. IV. XII. £ $ § 1/2 3/4"
)
TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " "})


class LineTexts:
    """Texts for lines, endlessly many.

    Args:
        texts: running text, or lists of words, which is what has hardly more than one word in a line of its
            file. All are used equally often.
        sizes: lengths of real lines in letters, one of which is drawn for each line.
    """

    def __init__(self, texts: Sequence[str], sizes: Sequence[int]):
        texts = [unicodedata.normalize("NFC", text).translate(TYPOGRAPHY) for text in texts]
        self.lists = [_words(text) for text in texts]
        self.texts = [" ".join(text.split()) for text in texts]
        self.sizes = sizes

    def line(self, chance: random.Random) -> str:
        """The text of one line."""
        size = max(1, chance.choice(self.sizes))
        kind = chance.random()
        if kind < NOTED:
            return _filled(size, chance, lambda: noted(chance, self.word))[: max(size, 12)].strip()
        place = chance.randrange(len(self.texts))
        words = self.lists[place]
        text = (
            _filled(size, chance, lambda: chance.choice(words))
            if words
            else cut_out(self.texts[place], size, chance)
        )
        if kind < NOTED + INSERTED:
            parts = text.split(" ")
            parts.insert(chance.randrange(len(parts) + 1), noted(chance, self.word))
            text = " ".join(parts)
        return _cased(text, chance)

    def word(self, chance: random.Random) -> str:
        """Any word of the texts, without punctuation around it."""
        place = chance.randrange(len(self.texts))
        words = self.lists[place] or cut_out(self.texts[place], 40, chance).split()
        return chance.choice(words or ["a"]).strip(".,;:!?\"'()[]-*_") or "a"


def noted(chance: random.Random, word: Callable[[random.Random], str]) -> str:
    """A number, date, time, amount, address, name or abbreviation; `word` gives words for names."""

    def name() -> str:
        return word(chance).capitalize()

    def initials() -> str:
        return " ".join(f"{chance.choice('ABCDEFGHIJKLMNOPRSTUVWZ')}." for _ in range(chance.randint(1, 2)))

    day, year, number = chance.randint(1, 31), chance.randint(1740, 2030), chance.randint(0, 9999)
    month = chance.choice(MONTHS.split())
    made = (
        lambda: f"{day} {month} {year}",
        lambda: f"{chance.choice(DAYS.split())} {day} {month}",
        lambda: f"{month} {day}{chance.choice(['', 'th'])}, {year}",
        lambda: f"{month}. {day}/{year % 100:02}",
        lambda: chance.choice(["/", ".", "-"]).join((f"{day:02}", f"{chance.randint(1, 12):02}", str(year))),
        lambda: f"{chance.randint(0, 23)}{chance.choice([':', ' h ', 'h', '.'])}{chance.randint(0, 59):02}",
        lambda: str(number),
        lambda: f"{chance.randint(1, 999)}{chance.choice([' ', ',', '.'])}{number % 1000:03}",
        lambda: f"{number},{chance.randint(0, 99):02}",
        lambda: f"{number / 100:.2f}",
        lambda: f"{chance.choice(['£', '$'])}{chance.choice(['', ' '])}{number}",
        lambda: f"£{number % 100}. {chance.randint(0, 19)}s. {chance.randint(0, 11)}d.",
        lambda: f"{number % 101}{chance.choice(['', ' '])}%",
        lambda: f"({chance.randint(1, 200)})",
        lambda: f"{chance.randint(1, 300)} {name()} {chance.choice(STREETS.split())}",
        lambda: f"{chance.randint(1, 300)}, {chance.choice(RUES.split('|'))} {name()}",
        lambda: f"{chance.randint(1000, 99999):05} {name()}",
        lambda: " ".join(f"{chance.randint(0, 99):02}" for _ in range(5)),
        lambda: f"{initials()} {name()}",
        lambda: f"{name()}, {initials()}",
        lambda: f"{name()} {name()}",
        lambda: f"{name()}-{name()}",
        lambda: f"{chance.choice(SHORT.split())} {name()}",
        lambda: chance.choice(SHORT.split()),
        lambda: f'"{name()}"',
        lambda: f"« {word(chance)} »",
        lambda: f"{number} x {chance.randint(2, 99)} = {chance.randint(10, 9999)}",
        lambda: f"{chance.choice('abcdefgh')}) {word(chance)}",
        lambda: f"{word(chance)} - {word(chance)}",
    )
    return chance.choice(made)()


def _words(text: str) -> list[str]:
    """The words of a list; none of running text."""
    return text.split() if is_list(text) else []


def _filled(size: int, chance: random.Random, part: Callable[[], str]) -> str:
    """Parts, one after the other, of about so many letters together."""
    parts, length = [part()], 0
    while (length := len(" ".join(parts))) < size - 4:
        parts.append(part())
        if chance.random() < 0.06:
            parts[-1] += chance.choice(",,.;:!?")
    return " ".join(parts) if length <= size + 8 or len(parts) == 1 else " ".join(parts[:-1])


def _cased(text: str, chance: random.Random) -> str:
    kind = chance.random()
    if kind < CAPITALS:
        return text.upper()
    if kind < CAPITALS + TITLES:
        return re.sub(r"\b\w", lambda letter: letter[0].upper(), text)
    if kind < CAPITALS + TITLES + SENTENCES:
        return text[:1].upper() + text[1:].rstrip(" ,;:") + chance.choice(["."] * 4 + ["?", "!", " :", " -"])
    return text
