"""Self-contained web pages from templates."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.writers.lines import printable

FOLDER = Path(__file__).parent / "templates"


def render(template: Path, **values) -> str:
    """A page from a Jinja template that extends `base.html`; every value is escaped.

    Args:
        template: the file; it may use templates beside it and those of this package.
        values: variables of the template.
    """
    loader = FileSystemLoader([template.parent, FOLDER])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clock"] = clock
    return printable(environment.get_template(template.name).render(**values))


def data_uri(media_type: str, content: bytes) -> str:
    """Bytes as a data URI, e.g. for `<audio src>`, which is a third longer."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def clock(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
