"""Which two languages of a data set are meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import DataError

_ISO_639_1 = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr
ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
CODES = frozenset(_ISO_639_1.split())
SOURCES = ("source", "src", "input", "original", "from")
TARGETS = ("target", "tgt", "trg", "output", "translation", "to")
_CODE = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{2,4}){0,2}", re.IGNORECASE)


class Languages(NamedTuple):
    """The languages that somebody asks for, each as a code such as en or pt-BR, or as a data set names it."""

    source: str | None = None
    target: str | None = None

    def among(self, names: Sequence[str]) -> Languages | None:
        """The two among the names of a data set; None where they are not there or cannot be told."""
        if self.source and self.target and matching(names, self.source) and matching(names, self.target):
            return self
        roles = [next((name for name in names if name in known), None) for known in (SOURCES, TARGETS)]
        if all(roles):
            return Languages(*roles)
        if self.source and self.target:
            return None
        given = self.source or self.target
        others = [name for name in names if given and name not in matching(names, given)]
        if given and len(others) == 1 and len(names) > 1 and matching(names, given):
            return Languages(self.source or others[0], self.target or others[0])
        return None

    def refused(self, path: Path, names: Sequence[str]) -> DataError:
        """What to say where `among` finds nothing."""
        held = ", ".join(sorted(names)) or "none"
        asked = " and ".join(filter(None, self))
        cause = (
            f"has no {asked}, only {held}" if asked else f"holds {held}, and nobody says which is the source"
        )
        example = [*sorted(names), "en", "de"][:2] if names else ["en", "de"]
        return DataError(path, cause, "say --source-language {} --target-language {}".format(*example))


def matching(names: Sequence[str], code: str) -> list[str]:
    """The names that mean a language, the most exact first: en, en-us and en_gb for en."""
    code = folded(code)
    exact = [name for name in names if folded(name) == code]
    return exact + [name for name in names if folded(name).startswith(f"{code}-")]


def folded(name: str) -> str:
    """A code in lower case with hyphens."""
    return name.lower().replace("_", "-")


def is_code(name: str) -> bool:
    """Whether this may be the code of a language."""
    return bool(_CODE.fullmatch(name)) and folded(name).split("-")[0] in CODES


def language_in(name: str, asked: Languages = Languages()) -> tuple[str, str] | None:  # noqa: B008
    """What is left of a file's name without its language, and the language; None if it names none.

    Files are called train.en, train.en.gz, train.en.txt, train_en.txt or en.txt; src and tgt stand for
    languages, too, and so do those that are asked for, and any other ending of three letters which is that of
    no kind of file.
    """

    known = {*SOURCES, *TARGETS, *(folded(each) for each in asked if each)}

    def names_one(code: str) -> bool:
        return is_code(code) or code.lower() in known

    stem = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"\.(txt|text|tok|lines)$", "", stem, flags=re.IGNORECASE)
    match = re.fullmatch(r"(?:(.*?)([._-]))?([A-Za-z]{2,8}(?:[-_][A-Za-z]{2,4})?)", stem)
    if not match:
        return None
    base, mark, code = match.groups()
    if names_one(code):
        return base or "", code.lower()
    code = re.split(r"[-_]", code)[-1]
    if names_one(code):
        return stem[: -len(code)].rstrip("._-"), code.lower()
    if mark == "." and stem == name.removesuffix(".gz") and len(code) == 3 and code.lower() not in ENDINGS:
        return base or "", code.lower()
    return None


_OTHERS = "csv tsv tab xml tmx xlf pdf doc rtf htm zip tar log cfg ini bpe vec bin png jpg"
ENDINGS = frozenset(_OTHERS.split())
"""Endings of three letters that are no languages."""
