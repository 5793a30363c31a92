"""Texts inside pictures: chunks of PNG, the comment of GIF, EXIF of JPEG and WebP."""

from collections.abc import Iterator
from html import unescape

from PIL import Image

EXIF, USER_COMMENT, DESCRIPTION, MAKER, CAMERA = 0x8769, 0x9286, 0x010E, 0x010F, 0x0110
XMP = "XML:com.adobe.xmp"
LONGEST = 8 * 2**20
"""Characters of a note; longer ones are no settings."""


def notes_of(image: Image.Image) -> dict[str, str]:
    """Every text by its keyword; the user's comment in EXIF is called `parameters` as in PNG."""
    found: dict[str, str] = {}
    for keyword, value in image.info.items():
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) and keyword == "comment" else value
        if isinstance(keyword, str) and isinstance(text, str):
            found[keyword] = _json_of(text) if keyword == XMP else str(text)
    for keyword, text in _exif(image):
        found.setdefault(keyword, text)
    return {keyword: text.strip("\0") for keyword, text in found.items() if len(text) <= LONGEST}


def _json_of(xmp: str) -> str:
    """Draw Things keeps its settings as JSON inside XMP."""
    return unescape(xmp[xmp.find("{") : xmp.rfind("}") + 1])


def _exif(image: Image.Image) -> Iterator[tuple[str, str]]:
    try:
        exif = image.getexif()
        comment = exif.get_ifd(EXIF).get(USER_COMMENT)
        plain = [exif.get(tag) for tag in (CAMERA, MAKER, DESCRIPTION)]
    except (ValueError, TypeError, KeyError, OSError, SyntaxError, IndexError, OverflowError):
        return  # broken EXIF says nothing
    if isinstance(comment, bytes):
        comment = decoded(comment)
    if isinstance(comment, str):
        yield "parameters", comment
    for text in plain:  # ComfyUI's films: `prompt:{...}`, `workflow:{...}`
        keyword, colon, inside = text.partition(":") if isinstance(text, str) else ("", "", "")
        if colon and keyword.lower() in ("prompt", "workflow"):
            yield keyword.lower(), inside


def decoded(comment: bytes) -> str:
    """A comment of EXIF: its first eight bytes name the encoding, UTF-16 of either order or ASCII."""
    head, body = comment[:8], comment[8:]
    if head == b"UNICODE\0":
        big = body.decode("utf-16-be", "replace")
        swapped = sum(ord(letter) & 0xFF == 0 for letter in big[:999]) * 2 > len(big[:999])  # Latin in the other order
        return body.decode("utf-16-le", "replace") if swapped else big
    return (body if head in (b"ASCII\0\0\0", b"\0" * 8) else comment).decode("utf-8", "replace")
