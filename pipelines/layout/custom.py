"""The attribute `custom` of PAGE files, in which Transkribus and others keep what PAGE has no place for.

It holds tags like `readingOrder {index:0;} structure {type:heading;}`, in a syntax like that of CSS.
Characters that the syntax needs are written as `\\u003b` (four hexadecimal digits).

Source: https://github.com/Transkribus/TranskribusCore, class CssSyntaxTag.
"""

from __future__ import annotations

import re

SIGNS = "\\\"'{}:; \t"  # that Transkribus escapes
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def read_tag(custom: str | None, name: str) -> dict[str, str] | None:
    """The values of the first tag of a name, by their keys; None where there is no such tag."""
    for part in (custom or "").split("}"):
        head, brace, body = part.partition("{")
        if brace and head.strip() == name:
            pairs = (pair.partition(":") for pair in body.split(";"))
            return {key.strip(): _unescaped(value.strip()) for key, _, value in pairs if key.strip()}
    return None


def tag(name: str, **values: str) -> str:
    """A tag with its values."""
    signs = {ord(sign): f"\\u{ord(sign):04x}" for sign in SIGNS}
    pairs = "".join(f" {key}:{value.translate(signs)};" for key, value in values.items())
    return f"{name} {{{pairs[1:]}}}"


def _unescaped(value: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
