"""The results of a run, or of all runs into a folder, as one web page to read, listen to and search."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.writers.atomic import write_atomically
from pipelines.writers.lines import printable
from pipelines.writers.markup import render
from pipelines.writers.page_items import Entry, item_of
from pipelines.writers.views import Embedded, Linked

TEMPLATE = Path(__file__).parent / "templates" / "page.html"


def write_results_page(
    path: str | Path,
    entries: Iterable[Entry],
    title: str = "Results",
    embed: bool = True,
    folder: Path | None = None,
) -> Path:
    """Write one page that shows each result beside what it was made from.

    Words are marked by confidence and follow the player; a click on a word plays it, pointing at one shows
    its place in the image. The page can be searched, sorted, and filtered.

    Args:
        path: the HTML file; replaced atomically.
        entries: the results in the order to show; failed ones are moved to the end.
        title: of the page.
        embed: hold short recordings and reduced images in the page, so that it can be sent around; otherwise
            everything is linked relative to it.
        folder: for images that have to be made for a page that links; `.triscribe` beside it if None.

    Returns:
        The path written.
    """
    path = Path(path)
    views = Embedded(path) if embed else Linked(path, folder or path.parent / ".triscribe" / "images")
    entries = sorted(entries, key=lambda entry: entry.result is None)
    items = [item_with_links(entry, views) for entry in entries]
    for item, name in zip(items, names_of([entry.source for entry in entries]), strict=True):
        item["name"] = name
    text = page_of(items, title)
    with write_atomically(path) as file:
        file.write(text)
    views.tidy()
    return path


def item_with_links(entry: Entry, views: Linked) -> dict:
    """What the page shows of an entry, but for its name.

    Args:
        views: gives the addresses.
    """
    item, seen = item_of(entry), views.seen(entry)
    for key in ("player", "media", "image", "small", "view"):
        if getattr(seen, key):
            item[key] = getattr(seen, key)
    if seen.note:
        item["note"] = printable(seen.note)
    item["outputs"] = [[format_name(output), views.link(output)] for output in entry.outputs]
    return item


def page_of(items: Sequence[dict], title: str, serving: dict | None = None, nonce: str = "") -> str:
    """The page as HTML.

    Args:
        items: from `item_with_links`, with names.
        title: of the page.
        serving: what a page needs that is served to correct on it; None for a page to read.
        nonce: of its scripts, for the Content-Security-Policy under which it is served.
    """
    data = {"items": list(items), "serving": serving, "date": datetime.date.today().isoformat()}
    # Nothing in JSON within a script ends it but "</script" and "<!--".
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return render(TEMPLATE, title=title, data=printable(content), correcting=serving is not None, nonce=nonce)


def names_of(sources: Sequence[Path]) -> list[str]:
    """Paths without the folders that all have in common, as they can be shown."""
    paths = [os.path.abspath(source) for source in sources]
    root = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    return [printable(os.path.relpath(path, root).replace(os.sep, "/")) for path in paths]


def format_name(output: Path) -> str:
    """What the link to an output is called: its ending, or the name of a layout format."""
    name = output.name.lower()
    if name.endswith(".alto.xml"):
        return "ALTO"
    if name.endswith(".xml"):
        return "PAGE"
    return re.sub(r"^.*\.", "", name) or name
