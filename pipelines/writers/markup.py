"""Results as web pages that need nothing but themselves: no network, no files beside them."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.writers.lines import printable

FOLDER = Path(__file__).parent / "templates"


def render(template: Path, **values) -> str:
    """A page from a Jinja template that extends `base.html`; every value is escaped.

    Args:
        template: the file; templates that it names may lie beside it or in this package.
        values: what the template shows.
    """
    loader = FileSystemLoader([template.parent, FOLDER])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clock"] = clock
    return printable(environment.get_template(template.name).render(**values))


def data_uri(media_type: str, content: bytes) -> str:
    """Bytes as an address that holds them itself, e.g. for `<audio src>`; a third longer than they are."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def clock(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
