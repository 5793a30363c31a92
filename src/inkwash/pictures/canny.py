"""Canny's edges, a pixel wide, as OpenCV finds them in bytes: the pictures that released ControlNets were taught with.

Slopes by Sobel; of the colours the steepest counts; a place stays if nobody beside it across the edge is steeper;
what is above the upper threshold is an edge, and whatever above the lower one touches an edge.  (Canny 1986)
"""

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from inkwash.pictures.filters import slopes

Plane = Float[Tensor, "height width"]
Found = Bool[Tensor, "height width"]
TAN = 13573 / 2**15
"""tan 22.5°, rounded as OpenCV rounds it."""


def canny(picture: UInt8[Tensor, "colours height width"], low: float = 100.0, high: float = 200.0) -> Found:
    """Where the edges are; thresholds are of |dx| + |dy|."""
    low, high = sorted((low, high))
    dx, dy = _steepest(*slopes(picture.double()))
    steep = dx.abs() + dy.abs()
    ridge = _ridges(dx, dy, steep) & (steep > int(low))
    return grown(ridge & (steep > int(high)), ridge)


def grown(edges: Found, allowed: Found) -> Found:
    """Edges, and all that is allowed and hangs together with them, corners included."""
    while True:
        wider = (max_pool2d(edges[None].float(), 3, stride=1, padding=1)[0] > 0) & allowed
        if torch.equal(wider, edges):
            return edges
        edges = wider


def _steepest(dx: Tensor, dy: Tensor) -> tuple[Plane, Plane]:
    """Of the colour that is steepest at each place, the first of several."""
    colour = (dx.abs() + dy.abs()).argmax(dim=0, keepdim=True)
    return dx.gather(0, colour)[0], dy.gather(0, colour)[0]


def _ridges(dx: Plane, dy: Plane, steep: Plane) -> Found:
    """Steeper than the neighbour before and, on straight lines, as steep as the one after."""
    x, y = dx.abs(), dy.abs()
    flat, upright = y < TAN * x, y > (TAN + 2) * x
    rising = (dx < 0) != (dy < 0)
    beside = _neighbours(steep)
    across = (steep > beside[0, -1]) & (steep >= beside[0, 1])
    along = (steep > beside[-1, 0]) & (steep >= beside[1, 0])
    falls = (steep > beside[-1, -1]) & (steep > beside[1, 1])
    rises = (steep > beside[-1, 1]) & (steep > beside[1, -1])
    slanted = torch.where(rising, rises, falls)
    return torch.where(flat, across, torch.where(upright, along, slanted))


def _neighbours(steep: Plane) -> dict[tuple[int, int], Plane]:
    """The steepness of all eight neighbours; beyond the edge it is flat."""
    height, width = steep.shape
    around = pad(steep, (1, 1, 1, 1))
    places = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return {(down, right): around[1 + down :, 1 + right :][:height, :width] for down, right in places}
