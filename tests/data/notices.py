"""Texts of two classes that are told by their words, and of two that are told by their order alone."""

import random
from pathlib import Path

WORDS = {
    "weather": ["rain", "sun", "wind", "cloud", "storm"],
    "food": ["bread", "soup", "apple", "cheese", "tea"],
}
FILL = ["the", "a", "of", "today", "we", "had", "some", "more", "and", "then"]


def notices(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """(text, label) of sentences with a word of their class."""
    chooser, found = random.Random(seed), []
    for place in range(count):
        label = list(WORDS)[place % 2]
        words = chooser.choices(FILL, k=chooser.randint(2, 6))
        words.insert(chooser.randint(0, len(words)), chooser.choice(WORDS[label]))
        found.append((" ".join(words), label))
    return found


def orders(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """(text, label): whether `up` comes before `down` or behind it, with other words around."""
    chooser, found = random.Random(seed), []
    for place in range(count):
        first, second = ("up", "down") if place % 2 else ("down", "up")
        gaps = [chooser.choices(FILL, k=chooser.randint(0, 3)) for _ in range(3)]
        text = " ".join([*gaps[0], first, *gaps[1], second, *gaps[2]])
        found.append((text, "rise" if place % 2 else "fall"))
    return found


def write_table(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows), encoding="utf-8")
    return path
