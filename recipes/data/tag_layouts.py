"""Layouts of sentences with a label for each token. See `layouts.py`.

The target of an item is the sequence of its labels. Its tokens are in the sentence of its file that its index
names, from 0.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.sentences import CONLL, TOKEN_COLUMNS, read_sentences
from recipes.data.folders import head, shown, split_above, split_in, walk
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected


def is_conll(root: Path) -> bool:
    return bool(_files(root))


def read_conll(root: Path, column: str | None = None) -> Found:
    """Read all files below a folder; names of files and folders give splits."""
    for path in _files(root):
        try:
            sentences = read_sentences(path, column)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        split = split_in(path.name) or (split_above(path, root) if root.is_dir() else None)
        for index, sentence in enumerate(sentences):
            if sentence.labels:
                yield Item(path, sentence.labels, split, index=index)
            else:
                yield Rejected(f"{shown(path, root)}:{sentence.line}", "tokens without a label")


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return [path for path in walk(root) if _holds_tokens(path)] if root.is_dir() else []


def _holds_tokens(path: Path) -> bool:
    """Whether a file is called as CoNLL files are, or is a table with a list of tokens on each row."""
    if CONLL.search(path.name):
        return True
    return path.name.lower().endswith(".jsonl") and any(f'"{name}"' in head(path) for name in TOKEN_COLUMNS)


def layouts(column: str | None = None) -> tuple[Layout, ...]:
    """The layouts, with the column that holds the labels."""
    sign = "files in CoNLL or CoNLL-U (.conll, .conllu, .bio), or JSON lines with lists of tokens and tags"
    return (Layout("conll", sign, is_conll, lambda root: read_conll(root, column)),)
