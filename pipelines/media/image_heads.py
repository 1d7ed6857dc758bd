"""What the first bytes of a file say of the image in it, where Pillow says nothing."""

from __future__ import annotations

import re

HEADS = {
    rb"II\*\0|MM\0\*|II\+\0|MM\0\+": "TIFF",
    rb"\x89PNG": "PNG",
    rb"\xff\xd8\xff": "JPEG",
    rb"GIF8": "GIF",
    rb"RIFF....WEBP": "WebP",
    rb"....ftypavi": "AVIF",
    rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51": "JPEG 2000",
}
"""How files begin in formats that are supported, as regular expressions."""
OTHERS = {
    rb"....ftyp(hei[cxms]|hev[cx]|mif1|msf1)": "a HEIC photograph",
    rb"\xff\x0a|\0\0\0\x0cJXL ": "a JPEG XL image",
    rb"8BPS": "a Photoshop document",
    rb"\x76\x2f\x31\x01": "an OpenEXR image",
    rb"#\?RADIANCE": "a Radiance image",
    rb"AT&TFORM": "a DjVu document",
    rb"\0\0\x01\0": "an icon",
    rb"gimp xcf": "a GIMP document",
}
"""The same of others."""


def unread(head: bytes) -> tuple[str, str]:
    """Cause and way out for what Pillow does not take for an image, by its first bytes."""
    for pattern, kind in OTHERS.items():
        if re.match(pattern, head, re.DOTALL):
            return f"is {kind}, which is not supported", "convert it to PNG or JPEG"
    for pattern, kind in HEADS.items():
        if re.match(pattern, head, re.DOTALL):
            cause = f"is a damaged {kind} image, or one of a form that is not supported"
            return cause, "get a whole copy of it, or convert it to PNG with 8 bits a colour"
    cause = "is a PDF document" if head.startswith(b"%PDF-") else "is not in a supported image format"
    return cause, "give an image: PNG, JPEG, TIFF, WebP or the like"


def is_moving_webp(head: bytes) -> bool:
    """Whether a file begins as a WebP animation: its extended header has the flag."""
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) > 20 and bool(head[20] & 2)
