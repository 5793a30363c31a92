"""Edges of pictures whose edges are known, and of noise against the algorithm written out place by place."""

import pytest
import torch
from torch import Tensor

from inkwash.pictures.canny import TAN, canny


def reference(picture: Tensor, low: float, high: float) -> Tensor:
    """Slowly: every place by itself, then a flood from the strong ones."""
    colours, height, width = picture.shape
    values = picture.int().tolist()

    def at(c: int, y: int, x: int) -> int:
        return values[c][min(max(y, 0), height - 1)][min(max(x, 0), width - 1)]

    def slope(y: int, x: int) -> tuple[int, int]:
        found = []
        for c in range(colours):
            dx = sum(w * (at(c, y + d, x + 1) - at(c, y + d, x - 1)) for d, w in ((-1, 1), (0, 2), (1, 1)))
            dy = sum(w * (at(c, y + 1, x + d) - at(c, y - 1, x + d)) for d, w in ((-1, 1), (0, 2), (1, 1)))
            found.append((dx, dy))
        return max(found, key=lambda each: abs(each[0]) + abs(each[1]))

    slopes = {(y, x): slope(y, x) for y in range(height) for x in range(width)}
    steep = {place: abs(dx) + abs(dy) for place, (dx, dy) in slopes.items()}
    strong, weak = [], set()
    for (y, x), (dx, dy) in slopes.items():
        m, side = steep[y, x], -1 if (dx < 0) != (dy < 0) else 1
        if abs(dy) < TAN * abs(dx):
            peak = m > steep.get((y, x - 1), 0) and m >= steep.get((y, x + 1), 0)
        elif abs(dy) > (TAN + 2) * abs(dx):
            peak = m > steep.get((y - 1, x), 0) and m >= steep.get((y + 1, x), 0)
        else:
            peak = m > steep.get((y - 1, x - side), 0) and m > steep.get((y + 1, x + side), 0)
        if peak and m > low:
            (strong.append((y, x)) if m > high else weak.add((y, x)))
    found = torch.zeros(height, width, dtype=torch.bool)
    while strong:
        y, x = strong.pop()
        found[y, x] = True
        near = {(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & weak
        weak -= near
        strong += sorted(near)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_the_edges_that_the_definition_finds(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    smooth = torch.nn.functional.avg_pool2d(torch.rand(3, 30, 26, generator=generator) * 255, 3, 1).byte()
    found = canny(smooth, 100.0, 200.0)
    assert torch.equal(found, reference(smooth, 100.0, 200.0))
    assert 0.05 < found.float().mean() < 0.6


def test_a_step_has_one_line_a_pixel_wide() -> None:
    picture = torch.zeros(1, 9, 12, dtype=torch.uint8)
    picture[:, :, 6:] = 200
    found = canny(picture)
    assert found[:, 5].all()
    assert found.sum() == 9
    assert torch.equal(canny(picture.mT).mT, found)


def test_a_square_is_its_outline() -> None:
    picture = torch.zeros(3, 20, 20, dtype=torch.uint8)
    picture[0, 5:15, 5:15] = 255
    found = canny(picture)
    assert not found[7:13, 7:13].any()
    assert not found[:3].any()
    assert found[4:16, 4:16].sum() >= 36


def test_thresholds_and_what_hangs_together() -> None:
    picture = torch.zeros(1, 9, 12, dtype=torch.uint8)
    picture[:, :5, 6:], picture[:, 5:, 6:] = 60, 45  # slopes of 240 above and 180 below
    assert canny(picture, 100.0, 200.0)[:, 5:7].any(1).all()
    assert not canny(picture, 190.0, 200.0)[6:].any()
    assert not canny(picture, 100.0, 300.0).any()
    assert torch.equal(canny(picture, 200.0, 100.0), canny(picture, 100.0, 200.0))
    assert not canny(torch.full((3, 8, 8), 90, dtype=torch.uint8)).any()
