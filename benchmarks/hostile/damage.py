"""Kinds of damage: to bytes, to lines and cells of text, to values of JSON, and to model files."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable

NUMBERS = (
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\0",
    b"\x01\0\0\0",
    b"\0\0\0\x80",
    b"\0\0\xff\xff",
)
CELLS = (
    b"",
    b" ",
    b"nan",
    b"inf",
    b"-1",
    b"0",
    b"1e999",
    b"99999999999999999999",
    b"1e-320",
    "٣".encode(),
    b"0x10",
    b"../../../../../../etc/passwd",
    b"/dev/zero",
    b"/proc/self/mem",
    b"/",
    b"..",
    b".",
    b"~",
    b"*",
    b"[",
    b"(",
    b"|",
    b"a" * 5000,
    b"\0",
    b"a\x1b[2Jb",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    "a\u2028b\u202ec".encode(),
    b'"',
    b"'",
    b"\\",
    b"http://127.0.0.1:9/a",
    b"C:\\a\\b",
    b"<s>",
    b"-- ",
    b"#",
    b"a\xcc\x81" * 60,
    b"$(id)",
    b"%s%n",
)
VALUES = (
    None,
    True,
    -1,
    0,
    10**6,
    10**30,
    1e308,
    0.5,
    "",
    "x",
    "a" * 5000,
    [],
    {},
    [[[]]],
    float("nan"),
    float("inf"),
    "\ud800",
    {"kind": "x"},
    [None],
    ["a", "a"],
    "speech",
    "..",
)

Damage = Callable[[bytes, random.Random], bytes]


def damaged_bytes(content: bytes, chooser: random.Random) -> bytes:
    """Bits flipped; cut off; pieces swapped, zeroed or doubled; absurd numbers, mostly in the head."""
    data, kind = bytearray(content), chooser.randrange(7)
    place = chooser.randrange(max(1, len(data)))
    size = chooser.randint(1, max(1, len(data) // 4))
    if kind == 0:
        for _ in range(chooser.choice((1, 4, 64)) if data else 0):
            data[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
    elif kind == 1:
        del data[place:]
    elif kind == 2:  # two pieces change places
        other = chooser.randrange(max(1, len(data)))
        one, two = data[place : place + size], data[other : other + size]
        data[place : place + size], data[other : other + size] = two, one
    elif kind == 3:
        data[place : place + size] = bytes(len(data[place : place + size]))
    elif kind == 4:
        data[place:place] = data[place : place + size] * chooser.choice((1, 20))
    else:
        place = chooser.randrange(max(1, min(len(data), 512 if kind == 5 else len(data))))
        number = chooser.choice(NUMBERS)
        data[place : place + 4] = number if chooser.random() < 0.5 else number[::-1]
    return bytes(data)


def damaged_text(content: bytes, chooser: random.Random) -> bytes:
    """Lines and cells lost, repeated, swapped, absurd or endless; other encodings; or as `damaged_bytes`."""
    if chooser.random() < 0.2:
        return damaged_bytes(content, chooser)
    lines, kind = content.split(b"\n"), chooser.randrange(9)
    place = chooser.randrange(len(lines))
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines[place:place] = [lines[place]] * chooser.choice((1, 2000))
    elif kind == 2:
        return content.decode("utf-8", "replace").encode(chooser.choice(("utf-16", "utf-32", "cp037")))
    elif kind == 3:
        return content.replace(b"e", b"\xe9").replace(b"\n", chooser.choice((b"\r", b"\r\n", b"\0", b" ")))
    elif kind == 4:
        lines[place] += chooser.choice((b" ", b"\t", b"(", b"[", b",", b"a", b"|")) * 300_000
    elif kind == 5:
        chooser.shuffle(lines)
    else:
        separator = max(b"\t,|; =:", key=lambda each: lines[place].count(bytes([each])))
        cells = lines[place].split(bytes([separator]))
        column = chooser.randrange(len(cells))
        if kind == 6:
            other = chooser.randrange(len(cells))
            cells[column], cells[other] = cells[other], cells[column]
        elif kind == 7 and len(cells) > 1:
            del cells[column]
        else:
            cells[column] = chooser.choice(CELLS)
        lines[place] = bytes([separator]).join(cells)
    return b"\n".join(lines)


def damaged_json(content: bytes, chooser: random.Random) -> bytes:
    """A value or key of JSON, or of a line of it, replaced or lost; brackets without end; or as text."""
    kind = chooser.randrange(8)
    if kind == 0:
        return chooser.choice((b"[", b'{"a":', b"-")) * 200_000
    lines = content.split(b"\n") if content.count(b"\n{") else [content]
    place = chooser.randrange(len(lines))
    try:
        value = json.loads(lines[place])
    except ValueError:
        return damaged_text(content, chooser)
    if kind == 1:
        return damaged_text(content, chooser)
    lines[place] = json.dumps(changed(value, chooser)).encode()
    return b"\n".join(lines)


def changed(value: object, chooser: random.Random) -> object:
    """Plain values with one of them replaced, lost or renamed."""
    places = list(_places(value))
    if not places:
        return chooser.choice(VALUES)
    holder, key = chooser.choice(places)
    kind = chooser.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[key + "x"] = holder.pop(key)
    elif kind == 2 and isinstance(holder[key], int):
        holder[key] = chooser.choice((0, 1, -1, holder[key] + 1, 10**6, 2**31, 2**63, 10**12))
    else:
        holder[key] = chooser.choice(VALUES)
    return value


def _places(value: object):
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, part in list(entries)[:50]:
        yield value, key
        yield from _places(part)


def damaged_model(content: bytes, chooser: random.Random) -> bytes:
    """A model's own header, that of its tensors, or its weights changed; or as `damaged_bytes`."""
    kind = chooser.randrange(8)
    if kind == 0:
        return damaged_bytes(content, chooser)
    (size,) = struct.unpack("<Q", content[:8])
    header, weights = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    names = [name for name in header if name != "__metadata__"]
    name = chooser.choice(names)
    if kind < 5:
        own = json.loads(header["__metadata__"]["triscribe"])
        for _ in range(chooser.choice((1, 1, 3))):
            part = chooser.choice(
                [own, *(each for each in own.values() if isinstance(each, (dict, list)) and each)]
            )
            changed(part, chooser)
        header["__metadata__"]["triscribe"] = json.dumps(own)
    elif kind == 5:
        chosen = chooser.randrange(5)
        if chosen == 0:
            header[f"{name}x"] = header.pop(name)
        elif chosen == 1:
            header[name]["dtype"] = chooser.choice(("I8", "F32", "F64", "BOOL", "BF16", "U8", "Q9"))
        elif chosen == 2:
            header[name]["shape"] = chooser.choice(
                ([], [0], [10**12, 10**12], [-1], header[name]["shape"][::-1])
            )
        elif chosen == 3:
            header[name]["data_offsets"] = chooser.choice(
                ([0, 0], [2**62, 2**63], header[names[0]]["data_offsets"])
            )
        else:
            del header[name]
    else:
        first, last = header[name]["data_offsets"]
        odd = chooser.choice(
            (b"\0\x7e", b"\0\x7c", b"\0\xfc", b"\xff\x7b", b"\xff\xff", b"\0\0")
        )  # NaN, inf ...
        count = (last - first) // 2 if chooser.random() < 0.5 else 1
        weights[first : first + 2 * count] = odd * count
    told = json.dumps(header).encode()
    return struct.pack("<Q", len(told)) + told + bytes(weights)
