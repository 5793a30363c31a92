"""Winograd's convolutions against the direct sum."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from inkwash.nn import winograd
from inkwash.nn.winograd import INPUT, KERNEL, OUTPUT, Winograd, fits


def test_the_matrices_multiply_out_to_a_correlation() -> None:
    signal, kernel = torch.randn(6).double(), torch.randn(3).double()
    inward, spread, outward = (torch.tensor(each, dtype=torch.float64) for each in (INPUT, KERNEL, OUTPUT))
    direct = torch.stack([(signal[k : k + 3] * kernel).sum() for k in range(4)])
    torch.testing.assert_close(outward @ ((spread @ kernel) * (inward @ signal)), direct)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (8, 8), (16, 16), (8, 12)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_value_and_gradients_are_those_of_the_direct_sum(height: int, width: int, layout: torch.memory_format) -> None:
    x = torch.randn(3, 16, height, width).contiguous(memory_format=layout).requires_grad_()
    layer = nn.Conv2d(16, 24, 3, padding=1).to(memory_format=layout)
    ahead = torch.randn(3, 24, height, width)
    inputs = (x, layer.weight, layer.bias)
    with Winograd():
        quick = layer(x)
    direct = layer(x)
    assert apart(quick, direct) < 1e-5
    assert not torch.equal(quick, direct)  # else it was not that way at all
    for ours, theirs in zip(*(torch.autograd.grad(y, inputs, ahead) for y in (quick, direct)), strict=True):
        assert apart(ours, theirs) < 1e-5


def apart(ours: Tensor, theirs: Tensor) -> float:
    """By the length of the whole: a sum of hundreds of products may by chance be near 0."""
    return ((ours - theirs).norm() / theirs.norm()).item()


def test_only_what_can_go_this_way_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        winograd._Convolution, "apply", lambda x, weight: asked.append(x) or conv2d(x, weight, padding=1)
    )
    x, weight = torch.randn(1, 16, 8, 8), torch.randn(16, 16, 3, 3)
    with Winograd():
        conv2d(x, weight, None, 1, 1)
        assert len(asked) == 1
        conv2d(x, weight, None, 2, 1)
        conv2d(x, weight, None, 1, 0)
        conv2d(x, weight, None, 1, 2, 2)
        conv2d(x, weight[:, :4], None, 1, 1, 1, 4)
        conv2d(x, weight[..., :1, :1], None, 1, 0)
        conv2d(x[..., :6], weight, None, 1, 1)
        conv2d(x[:, :4], weight[:, :4], None, 1, 1)
        conv2d(x.double(), weight.double(), None, 1, 1)
        conv2d(x, weight, None, 1, "same")
        assert len(asked) == 1
        with torch.autocast("cpu", torch.bfloat16):
            conv2d(x, weight, None, 1, 1)
        assert len(asked) == 1
    conv2d(x, weight, None, 1, 1)
    assert len(asked) == 1
    assert fits(x, weight, (1, 1), (1, 1), (1, 1), 1)


def test_frozen_weights_get_no_gradient() -> None:
    x = torch.randn(2, 16, 8, 8, requires_grad=True)
    layer = nn.Conv2d(16, 16, 3, padding=1).requires_grad_(False)
    with Winograd():
        layer(x).sum().backward()
    assert layer.weight.grad is None
    assert x.grad is not None
    assert apart(x.grad, torch.autograd.grad(layer(x).sum(), x)[0]) < 1e-5
