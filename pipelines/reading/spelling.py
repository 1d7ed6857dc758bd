"""Words as people write them -> the ways in which a model's alphabet can write what is said."""

from __future__ import annotations

import itertools
import re
import unicodedata
from decimal import Decimal

from num2words import CONVERTER_CLASSES, num2words

from decoders.alphabet import Alphabet, Normalisation

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
APOSTROPHES = "'’ʼ‘"
LARGEST = 18  # digits of a number that is read as one
MOST = 16  # readings of one word, where it holds several numbers


class Spelling:
    """Turns written words into what a model can have heard.

    Args:
        alphabet: the model's symbols.
        normalisation: the model's.
        language: code of num2words for numbers: "en", "de", "fr", ...

    Raises:
        ValueError: num2words does not know the language.
    """

    def __init__(self, alphabet: Alphabet, normalisation: Normalisation, language: str = "en"):
        if language not in CONVERTER_CLASSES:
            known = ", ".join(sorted(CONVERTER_CLASSES))
            raise ValueError(f"no numbers in the language {language!r}; choose one of {known}")
        self.alphabet = alphabet
        self.normalisation = normalisation
        self.language = language

    def readings(self, word: str) -> list[str]:
        """What a written word may sound like, in the alphabet, likeliest first; none if it has no sound.

        "24th," -> TWENTY FOURTH; "1962" -> ONE THOUSAND NINE HUNDRED AND SIXTY TWO, NINETEEN SIXTY
        TWO, ONE NINE SIX TWO; "don't" -> DON'T, or DONT without that symbol; "U.S." -> U S; "é" -> E.
        """
        parts, end = [], 0
        for number in NUMBER.finditer(word):
            spoken, length = self._numbers(number[0], word[number.end() :])
            if all(digit in self.alphabet for digit in number[0] if digit.isdigit()):
                spoken = [number[0], *spoken]
            parts += [[word[end : number.start()]], [f" {each} " for each in spoken]]
            end = number.end() + length
        parts.append([word[end:]])
        written = ("".join(choice) for choice in itertools.product(*parts))
        spelled = (self.spell(each) for each in itertools.islice(written, MOST))
        return [each for each in dict.fromkeys(spelled) if each]

    def spell(self, text: str) -> str:
        """The text in the alphabet: case and accents as it has them, what it lacks left out.

        A sign that it lacks leaves a space, as in "well-known"; an apostrophe does not.
        """
        spelled = "".join(map(self._symbol, self.normalisation(text)))
        return " ".join(spelled.split()) if " " in self.alphabet else "".join(spelled.split())

    def _symbol(self, character: str) -> str:
        bare = unicodedata.normalize("NFKD", character)
        for candidate in (character, *(APOSTROPHES if character in APOSTROPHES else ())):
            for form in (candidate, candidate.upper(), candidate.lower(), candidate.casefold()):
                if all(symbol in self.alphabet for symbol in form):
                    return form
        if len(bare) > 1:
            return "".join(map(self._symbol, bare))
        sign = unicodedata.category(character)[0] in "PSZ"
        return " " if sign and character not in APOSTROPHES else ""

    def _numbers(self, number: str, rest: str) -> tuple[list[str], int]:
        """Ways to say digits with points and commas, and how much of what follows belongs to them."""
        groups = re.split("[.,]", number)
        digits = " ".join(" ".join(self._say(int(digit)) for digit in group) for group in groups)
        if len(number) > LARGEST:
            return [digits], 0
        if len(groups) == 1:
            value = int(number)
            suffix = self._say(value, "ordinal_num").lower().removeprefix(str(value))
            if suffix and rest.lower().startswith(suffix):
                return [self._say(value, "ordinal"), self._say(value)], len(suffix)
            if number.startswith("0") and value:
                return [digits, self._say(value)], 0
            return [self._say(value), self._say(value, "year"), digits], 0
        spoken = []
        *whole, last = groups
        separators = re.sub(r"\d", "", number)
        if all(len(group) == 3 for group in groups[1:]) and len(set(separators)) == 1:
            spoken.append(self._say(int("".join(groups))))
        if len(separators) == 1 or separators[-1] not in separators[:-1]:
            spoken.append(self._say(Decimal("".join(whole) + "." + last)))
        if separators == ".":
            spoken.reverse()
        return [*spoken, " ".join(self._say(int(group)) for group in groups), digits], 0

    def _say(self, value: int | Decimal, form: str = "cardinal") -> str:
        try:
            return str(num2words(value, lang=self.language, to=form))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            return str(value) if form == "cardinal" else self._say(value)
