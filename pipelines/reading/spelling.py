"""Words as people write them -> the ways in which a model's alphabet can write what is said."""

from __future__ import annotations

import itertools
import re
import unicodedata
from decimal import Decimal

from num2words import CONVERTER_CLASSES, num2words

from decoders.alphabet import Alphabet, Normalisation

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
FRACTION = re.compile(r"(\d{1,3})[/\u2044](\d{1,3})(?!\d)")
APOSTROPHES = "'\u2019\u02bc\u2018"
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
SIGNS = {
    "en": {"&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "°": "degrees"},
    "de": {"&": "und", "%": "prozent", "+": "plus", "=": "gleich", "@": "at", "°": "grad"},
    "fr": {
        "&": "et",
        "%": "pour cent",
        "+": "plus",
        "=": "égale",
        "@": "arobase",
        "°": "degrés",
    },
    "es": {"&": "y", "%": "por ciento", "+": "más", "=": "igual a", "@": "arroba", "°": "grados"},
    "it": {"&": "e", "%": "per cento", "+": "più", "=": "uguale", "@": "chiocciola", "°": "gradi"},
    "nl": {"&": "en", "%": "procent", "+": "plus", "=": "is", "@": "apenstaartje", "°": "graden"},
    "pt": {"&": "e", "%": "por cento", "+": "mais", "=": "igual a", "@": "arroba", "°": "graus"},
}
"""How signs are read, by language."""
HALVES = {
    "en": "a half", "de": "ein halb", "fr": "un demi", "es": "medio", "it": "mezzo", "nl": "een half",
    "pt": "meio",
}  # fmt: skip
LARGEST = 18  # digits of a number that is read as one
MOST = 16  # readings of one word, where it holds several numbers


class Spelling:
    """Turns written words into what a model can have heard.

    Args:
        alphabet: the model's symbols.
        normalisation: the model's.
        language: code of num2words for numbers: "en", "de", "fr", ... Signs are read in the languages of
            `SIGNS`, in others they are taken to be silent.

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
        self.signs = SIGNS.get(re.split("[-_]", language)[0], {})

    def readings(self, word: str) -> list[str]:
        """What a written word may sound like, in the alphabet, likeliest first; none if it has no sound.

        "24th," -> TWENTY FOURTH; "1962" -> ONE THOUSAND NINE HUNDRED AND SIXTY TWO, NINETEEN SIXTY
        TWO, ONE NINE SIX TWO; "$20" -> TWENTY DOLLARS; "&" -> AND; "don't" -> DON'T, or DONT without that
        symbol; "U.S." -> U S; "é" -> E.
        """
        word = "".join(map(_unfolded_fraction, word))
        parts, end = [], 0
        for number in NUMBER.finditer(word):
            if number.start() < end:
                continue
            before, rest = word[end : number.start()], word[number.end() :]
            fraction = FRACTION.match(word, number.start())
            if fraction and self._of_fraction(int(fraction[1]), int(fraction[2])):
                spoken, length = self._of_fraction(int(fraction[1]), int(fraction[2])), len(fraction[0])
                spoken = spoken + [f"{self._say(int(fraction[1]))} {self._say(int(fraction[2]))}"]
                length -= len(number[0])
                if end and not before.strip() and self.language.startswith("en"):  # "two and a half"
                    spoken = [f"and {each}" for each in spoken] + spoken
            elif before[-1:] in CURRENCIES or rest[:1] in CURRENCIES:
                behind = before[-1:] not in CURRENCIES
                spoken = self._of_money(number[0], rest[0] if behind else before[-1])
                before, length = (before, 1) if behind else (before[:-1], 0)
            else:
                spoken, length = self._numbers(number[0], rest)
                if all(digit in self.alphabet for digit in number[0] if digit.isdigit()):
                    spoken = [number[0], *spoken]
            parts += self._plain(before)
            parts.append([f" {each} " for each in dict.fromkeys(spoken)])
            end = number.end() + length
        parts += self._plain(word[end:])
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
        if len(bare) == 1:
            bare = _base_letters(character)
        if bare and bare != character:
            return "".join(map(self._symbol, bare))
        sign = unicodedata.category(character)[0] in "PSZ"
        return " " if sign and character not in APOSTROPHES else ""

    def _plain(self, text: str) -> list[list[str]]:
        """Text without numbers, its signs in words where they have any and where the alphabet lacks them."""
        parts = []
        for piece in re.split("([&%+=@°$€£¥])", text):
            word = self.signs.get(piece) or (self._money_noun(piece) if piece in CURRENCIES else None)
            said = word and piece not in self.alphabet
            parts.append([f" {word} ", piece] if said else [piece])
        return parts

    def _numbers(self, number: str, rest: str) -> tuple[list[str], int]:
        """Ways to say digits with points and commas, and how much of what follows belongs to them."""
        groups = re.split("[.,]", number)
        digits = [" ".join(each) for each in zip(*map(self._digits, groups), strict=False)]
        if len(number) > LARGEST:
            return digits, 0
        if len(groups) == 1:
            value = int(number)
            suffix = self._say(value, "ordinal_num").lower().removeprefix(str(value))
            if suffix and rest.lower().startswith(suffix):
                return [self._say(value, "ordinal"), self._say(value)], len(suffix)
            plural = re.match("['\u2019]?s(?!\\w)", rest)
            if self.language.startswith("en") and plural:
                return [_plural(self._say(value, form)) for form in ("year", "cardinal")], plural.end()
            if number.startswith("0"):
                return [*digits, self._say(value)] if value else [self._say(value), *digits], 0
            return [self._say(value), self._say(value, "year"), *digits], 0
        spoken = []
        *whole, last = groups
        separators = re.sub(r"\d", "", number)
        if all(len(group) == 3 for group in groups[1:]) and len(set(separators)) == 1:
            spoken.append(self._say(int("".join(groups))))
        if len(separators) == 1 or separators[-1] not in separators[:-1]:
            spoken.append(self._say(Decimal("".join(whole) + "." + last)))
        if separators == ".":
            spoken.reverse()
        return [*spoken, " ".join(self._say(int(group)) for group in groups), *digits], 0

    def _digits(self, group: str) -> list[str]:
        """Digit after digit; in English a zero may be said as the letter."""
        said = " ".join(self._say(int(digit)) for digit in group)
        oh = said.replace(self._say(0), "oh") if self.language.startswith("en") else said
        return [said, oh]

    def _of_money(self, number: str, sign: str) -> list[str]:
        """Ways to say an amount: "twenty dollars fifty cents", "twenty fifty", and the number alone."""
        groups = re.split("[.,]", number)
        cents = groups.pop() if len(groups) > 1 and len(groups[-1]) == 2 else ""
        spoken, _ = self._numbers("".join(groups), "")
        if cents:
            amount = self._money(float(f"{''.join(groups)}.{cents}"), sign)
            short = f"{spoken[0]} {self._say(int(cents))}"
            return [*amount, short, *self._numbers(number, "")[0]]
        return [*self._money(float("".join(groups)), sign), *spoken]

    def _money(self, amount: float, sign: str) -> list[str]:
        """Ways to say a whole amount, or one with cents; none where num2words has no such currency."""
        try:
            said = num2words(
                amount, lang=self.language, to="currency", currency=CURRENCIES[sign], separator="|"
            )
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            return []
        said = said.partition("|")[0] if amount == int(amount) else said.replace("|", " ")
        usual = said.replace(" sterling", "")
        if self.language.startswith("en") and amount != 1:
            usual = usual.replace(" euro", " euros")
        return list(dict.fromkeys([usual, said]))

    def _money_noun(self, sign: str) -> str | None:
        """The plural of a currency: "dollars"."""
        return next((said.removeprefix(self._say(2)).strip() for said in self._money(2.0, sign)), None)

    def _of_fraction(self, numerator: int, denominator: int) -> list[str]:
        """Ways to say a fraction; none where they are not known in the language."""
        language = re.split("[-_]", self.language)[0]
        if (numerator, denominator) == (1, 2) and language != "en":
            return [HALVES[language]] if language in HALVES else []
        if language != "en" or denominator < 2:
            return []
        names = {2: ("half", "halves"), 4: ("quarter", "quarters")}
        ordinal = self._say(denominator, "ordinal")
        one, several = names.get(denominator, (ordinal, f"{ordinal}s"))
        if numerator != 1:
            return [f"{self._say(numerator)} {several}"]
        return [f"one {one}", f"a {one}", one]

    def _say(self, value: int | Decimal, form: str = "cardinal") -> str:
        try:
            return str(num2words(value, lang=self.language, to=form))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            return str(value) if form == "cardinal" else self._say(value)


def _unfolded_fraction(character: str) -> str:
    """A fraction that is one character, such as a half, as digits with a stroke between them."""
    plain = unicodedata.normalize("NFKD", character)
    return f" {plain}" if "\u2044" in plain else character


def _base_letters(character: str) -> str:
    """The plain letters of one that has no decomposition: those with a stroke, and ligatures."""
    name = unicodedata.name(character, "")
    found = re.match(r"LATIN (SMALL|CAPITAL) (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: WITH .*)?$", name)
    return "" if found is None else found[2].lower() if found[1] == "SMALL" else found[2]


def _plural(words: str) -> str:
    """ "nineteen ninety" -> "nineteen nineties"."""
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")
