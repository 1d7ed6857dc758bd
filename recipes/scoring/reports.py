"""Writes a training report: the templates that lie beside this file, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.writers import write_atomically
from pipelines.writers.markup import render
from recipes.scoring.headings import heading

TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    path: str | Path, template: str, split: str, facts: Mapping[str, object] | None, **values
) -> Path:
    """Write a report as one self-contained page.

    Args:
        path: the HTML file; replaced atomically.
        template: its name.
        split: that was scored, as in `heading`.
        facts: names and values for the page's head, as in `heading`.
        values: for the template.

    Returns:
        The path written.
    """
    page = render(TEMPLATES / template, **heading(split, facts), **values)
    path = Path(path)
    with write_atomically(path) as file:
        file.write(page)
    return path
