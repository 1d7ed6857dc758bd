"""Building XML trees with lxml."""

from __future__ import annotations

INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def root(tag: str, space: str, schema: str | None = None, **attributes: str):
    """Create the root element of a tree.

    Args:
        tag: its name.
        space: the name space of all elements.
        schema: address of the schema of the name space, for those who look for it in the file.
        attributes: of the element.
    """
    from lxml import etree

    names = {None: space, **({"xsi": INSTANCE} if schema else {})}
    element = etree.Element(f"{{{space}}}{tag}", attributes, nsmap=names)
    if schema:
        element.set(f"{{{INSTANCE}}}schemaLocation", f"{space} {schema}")
    return element


def add(parent, tag: str, text: str | None = None, /, **attributes: str):
    """Append a child in the namespace of its parent."""
    from lxml import etree

    space = parent.tag[: parent.tag.index("}") + 1]
    element = etree.SubElement(parent, space + tag, attributes)
    element.text = text
    return element


def as_text(element, head: str, pretty: bool) -> str:
    """Serialise a tree after the line `head`; with `pretty`, one element per line."""
    from lxml import etree

    return f"{head}\n{etree.tostring(element, encoding='unicode', pretty_print=pretty)}"
