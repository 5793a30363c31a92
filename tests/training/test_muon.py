"""Muon's steps are orthogonal matrices of the right length."""

import math

import pytest
import torch
from torch import nn

from inkwash.training.muon import QUINTIC, Muon, orthogonal


def test_singular_values_become_one() -> None:
    g = torch.randn(24, 60, generator=torch.Generator().manual_seed(0))
    for matrix in (g, g.T):
        values = torch.linalg.svdvals(orthogonal(matrix, rounds=8))
        assert values.min() > 0.6
        assert values.max() < 1.25


def test_wide_matrices_take_the_short_way_to_the_same_place() -> None:
    chance = torch.Generator().manual_seed(3)
    u, v = (torch.linalg.qr(torch.randn(size, 20, generator=chance)).Q for size in (20, 90))
    g = u @ torch.diag(torch.logspace(0, -4, 20)) @ v.T
    x = g.double() / g.double().norm()
    a, b, c = QUINTIC
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    torch.testing.assert_close(orthogonal(g), x.float(), atol=1e-3, rtol=0)


def test_the_directions_are_kept() -> None:
    g = torch.randn(8, 30, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(g, full_matrices=False)
    nearest = u @ v
    cosine = (orthogonal(g) * nearest).sum() / (orthogonal(g).norm() * nearest.norm())
    assert cosine > 0.98


def test_a_convolution_moves_by_a_step_of_adamw_s_length() -> None:
    conv = nn.Conv2d(32, 48, 3, bias=False).to(memory_format=torch.channels_last)
    before = conv.weight.detach().clone()
    optimizer = Muon([conv.weight], rate=0.01, weight_decay=0.0)
    conv(torch.randn(2, 32, 5, 5, generator=torch.Generator().manual_seed(2))).square().sum().backward()
    optimizer.step()
    moved = (conv.weight - before).square().mean().sqrt().item()
    assert 0.5 * 0.2 * 0.01 < moved < 1.5 * 0.2 * 0.01


def test_it_finds_the_minimum_of_a_quadratic() -> None:
    torch.manual_seed(0)
    aim, weight = torch.randn(6, 9), nn.Parameter(torch.zeros(6, 9))
    optimizer = Muon([weight], rate=0.1, weight_decay=0.0)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        optimizer.zero_grad()
        (weight - aim).square().sum().backward()
        optimizer.step()
    assert (weight - aim).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(64, 64), (24, 60), (60, 24), (64, 576)])
@pytest.mark.parametrize("smallest", [1e-1, 1e-4])
def test_short_products_come_as_close_to_what_is_orthogonal(shape: tuple[int, int], smallest: float) -> None:
    chance = torch.Generator().manual_seed(4)
    u, v = (torch.linalg.qr(torch.randn(size, min(shape), generator=chance)).Q for size in shape)
    g = u @ torch.diag(torch.logspace(0, math.log10(smallest), min(shape))) @ v.T
    long, short = orthogonal(g), orthogonal(g, precision=torch.bfloat16)
    assert short.dtype == torch.float32
    near = [torch.cosine_similarity(found.flatten(), (u @ v.T).flatten(), dim=0) for found in (long, short)]
    assert near[1] > near[0] - 0.03
    assert torch.linalg.svdvals(short).max() < 1.3


def test_how_a_convolution_lies_in_memory_makes_no_difference() -> None:
    chance = torch.Generator().manual_seed(5)
    start, grad = (torch.randn(12, 8, 3, 3, generator=chance) for _ in range(2))
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(start.clone(memory_format=layout))
        weight.grad = grad.clone(memory_format=layout)
        Muon([weight], rate=0.1, weight_decay=0.1).step()
        found.append(weight.detach())
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=0)
