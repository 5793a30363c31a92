"""The picture that is changed, and the part of it that a model paints: cut out, enlarged, painted, put back."""

from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageOps

from inkwash.errors import InvalidRequest
from inkwash.pictures.photo import Size, fitted, read_mask, read_photo
from inkwash.request.generate import GenerateRequest

Box = tuple[int, int, int, int]
"""Left, top, right and bottom edge, in pixels."""
SOFT_EDGE = 8
"""Where greys are strengths, a pixel is the painting's as soon as it is so little of white: an eighth."""


@dataclass(frozen=True)
class Surface:
    """What is painted on."""

    whole: Image.Image
    """What the painting goes into."""
    hole: Image.Image | None
    """As large ("L"): how far each pixel is painted; None: it all is."""
    box: Box
    """The part that the model sees."""
    size: Size
    """How large it sees it."""
    trimmed: Size
    """What of the whole is wanted in the end, from its upper left corner."""
    soft: bool = False

    @property
    def photo(self) -> Image.Image:
        """The part that the model sees, as large as it paints."""
        return self._cut(self.whole, Image.Resampling.LANCZOS)

    @property
    def mask(self) -> Image.Image | None:
        """The hole in that part."""
        return None if self.hole is None else self._cut(self.hole, Image.Resampling.BILINEAR)

    def finished(self, image: Image.Image) -> Image.Image:
        """A painting in its place; outside the hole the original, to the last bit: the autoencoder has no say there."""
        if self.hole is None:
            return image
        left, top, right, bottom = self.box
        painted = self.whole.copy()
        painted.paste(_resized(image, (right - left, bottom - top), Image.Resampling.LANCZOS), (left, top))
        hole = self.hole.point(lambda grey: min(255, grey * SOFT_EDGE)) if self.soft else self.hole
        found = Image.composite(painted, self.whole, hole)
        return found if found.size == self.trimmed else found.crop((0, 0, *self.trimmed))

    def _cut(self, image: Image.Image, way: Image.Resampling) -> Image.Image:
        return _resized(image if self.box == (0, 0, *image.size) else image.crop(self.box), self.size, way)


def surface(asked: GenerateRequest) -> Surface:
    """What a resolved request with an image paints on.

    Raises InvalidRequest if a picture cannot be read, if their sizes differ, or if nothing is to be painted.
    """
    if asked.image is None:
        raise InvalidRequest("image", None, "given")
    size = asked.width or 0, asked.height or 0
    photo = read_photo(asked.image)
    hole = None if asked.mask is None else _hole(asked, photo.size)
    trimmed = size
    if asked.outpaint.acts:
        trimmed, photo, hole = _extended(asked, photo, hole)
    elif not asked.inpaint.only_masked:
        photo, hole = fitted(photo, size), None if hole is None else fitted(hole, size)
    box = (0, 0, *photo.size)
    if hole is not None and asked.mask is not None:
        if hole.getextrema() == (0, 0):
            raise InvalidRequest("mask", str(asked.mask), "white somewhere: all black keeps everything")
        if asked.inpaint.only_masked:
            box, trimmed = around(hole.getbbox() or box, asked.inpaint.padding, size, photo.size), photo.size
    return Surface(photo, hole, box, size, trimmed, asked.inpaint.soft)


def extended_size(asked: GenerateRequest, multiple: int) -> Size:
    """Width and height of a picture with what outpainting adds, rounded up so that a model can paint it."""
    assert asked.image is not None  # noqa: S101  checked by the request
    wide, high = _with_border(asked, read_photo(asked.image).size)
    return -(-wide // multiple) * multiple, -(-high // multiple) * multiple


def around(bounds: Box, padding: int, size: Size, room: Size) -> Box:
    """A box around `bounds` with so much padding, as wide by high as `size` where there is `room` for it."""
    left, top, right, bottom = bounds
    left, top = max(left - padding, 0), max(top - padding, 0)
    right, bottom = min(right + padding, room[0]), min(bottom + padding, room[1])
    wide = max(right - left, round((bottom - top) * size[0] / size[1]))
    high = max(bottom - top, round((right - left) * size[1] / size[0]))
    left, right = _widened(left, right, wide, room[0])
    top, bottom = _widened(top, bottom, high, room[1])
    return left, top, right, bottom


def _widened(start: int, end: int, length: int, room: int) -> tuple[int, int]:
    length = min(length, room)
    start = min(max(start - (length - (end - start)) // 2, 0), room - length)
    return start, start + length


def _hole(asked: GenerateRequest, size: Size) -> Image.Image:
    assert asked.mask is not None  # noqa: S101  asked for only with a mask
    mask = read_mask(asked.mask)
    if mask.size != size:
        wide, high = size
        raise InvalidRequest("mask", f"{mask.width} x {mask.height} pixels", f"as large as the image, {wide} x {high}")
    mask = ImageOps.invert(mask) if asked.inpaint.invert else mask
    return mask.filter(ImageFilter.GaussianBlur(asked.inpaint.blur)) if asked.inpaint.blur else mask


def _extended(
    asked: GenerateRequest, photo: Image.Image, hole: Image.Image | None
) -> tuple[Size, Image.Image, Image.Image]:
    """The size that is wanted, the picture in the middle of what is painted, and the border as a hole."""
    place = asked.outpaint.left, asked.outpaint.up
    size = asked.width or 0, asked.height or 0
    whole, border = Image.new("RGB", size), Image.new("L", size, 255)
    whole.paste(photo, place)
    border.paste(0 if hole is None else hole, (*place, place[0] + photo.width, place[1] + photo.height))
    return _with_border(asked, photo.size), whole, border


def _with_border(asked: GenerateRequest, size: Size) -> Size:
    added = asked.outpaint
    return size[0] + added.left + added.right, size[1] + added.up + added.down


def _resized(image: Image.Image, size: Size, way: Image.Resampling) -> Image.Image:
    return image if image.size == size else image.resize(size, way)
