"""Requests that change a picture: their size where it follows from the picture, and what cannot be meant."""

from dataclasses import replace

from inkwash.errors import InvalidRequest
from inkwash.pictures.surface import extended_size
from inkwash.pipeline.beside import wanted_beside
from inkwash.request.generate import GenerateRequest
from inkwash.request.inpaint import Inpaint
from inkwash.weights.bundle import Bundle
from inkwash.weights.plain import plain

STRENGTH, OUTPAINTING = 0.75, 0.8


def placed(request: GenerateRequest, bundle: Bundle) -> GenerateRequest:
    """With width and height where outpainting decides them.

    Raises InvalidRequest for options of holes where there is none, and for those that contradict each other.
    """
    hole, added = request.inpaint, request.outpaint
    if hole != Inpaint() and not has_hole(request):
        raise InvalidRequest("inpaint", plain(hole), "left out: there is no mask")
    if (hole.only_masked or hole.soft or hole.invert) and request.mask is None:
        raise InvalidRequest("mask", None, "given: inpaint says how to use it")
    if hole.soft and wanted_beside(bundle) == "hole":
        raise InvalidRequest("inpaint.soft", True, f"left out: {bundle.name} sees a hole, not strengths")
    if not added.acts:
        return request
    if hole.only_masked:
        raise InvalidRequest("inpaint.only_masked", True, "left out: outpainting sees the whole picture")
    size = extended_size(request, bundle.multiple)
    for name, have, want in (("width", request.width, size[0]), ("height", request.height, size[1])):
        if have not in (None, want):
            raise InvalidRequest(name, have, f"left out, or {want}: image and outpaint decide it")
    return replace(request, width=size[0], height=size[1])


def has_hole(request: GenerateRequest) -> bool:
    """Is a part of the picture kept?"""
    return request.mask is not None or request.outpaint.acts


def usual_strength(request: GenerateRequest, bundle: Bundle) -> float:
    """Of a request with an image that names none.

    Where something is added to a picture, a little of the colours that flow into the new parts is left.
    """
    if request.outpaint.acts and request.mask is None:
        return OUTPAINTING
    anew = has_hole(request) or wanted_beside(bundle) in ("picture", "small")
    return 1.0 if anew else STRENGTH
