"""Attention in short floats answers and teaches as in long ones."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from inkwash.nn.attention import attended

MASK = (torch.arange(6) < 5)[None, None, None]


def parts(dtype: torch.dtype, *, taught: bool) -> list[torch.Tensor]:
    """q, k and v of two pictures and two heads."""
    chance = torch.Generator().manual_seed(0)
    shapes = ((2, 2, 4, 8), (2, 2, 6, 8), (2, 2, 6, 8))
    drawn = (torch.randn(shape, generator=chance).to(torch.bfloat16).to(dtype) for shape in shapes)
    return [part.requires_grad_(taught) for part in drawn]


@pytest.mark.parametrize("taught", [False, True])
def test_in_float32_it_is_torch_s_to_the_last_bit(taught: bool) -> None:
    q, k, v = parts(torch.float32, taught=taught)
    assert torch.equal(attended(q, k, v, MASK), scaled_dot_product_attention(q, k, v, attn_mask=MASK))


def test_what_is_taught_in_short_floats_is_rounded_once() -> None:
    short, long = parts(torch.bfloat16, taught=True), parts(torch.float32, taught=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = attended(*short, MASK)
    exact = scaled_dot_product_attention(*long, attn_mask=MASK)
    assert torch.equal(found, exact.bfloat16())
    found.sum().backward()
    exact.sum().backward()
    for mine, theirs in zip(short, long, strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        assert torch.equal(mine.grad, theirs.grad.bfloat16())


def test_without_a_lesson_short_floats_stay_short() -> None:
    q, k, v = parts(torch.bfloat16, taught=False)
    assert attended(q, k, v, None).dtype == torch.bfloat16
