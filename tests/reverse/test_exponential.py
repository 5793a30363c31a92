from math import exp, factorial

import pytest
import torch

from inkwash.reverse.exponential import moments, noise_moments, phi, since, weighed, weights

EVEN = torch.linspace(0, 1, 20001, dtype=torch.float64)


@pytest.mark.parametrize("z", [-8.0, -2.0001, -1.9999, -1e-3, 0.0, 1e-9, 0.7, 3.0])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
def test_phi_is_its_integral(order: int, z: float) -> None:
    """φ_k(z) = ∫₀¹ e^(z (1 - v)) v^(k-1) / (k-1)! dv."""
    if order == 0:
        assert phi(0, z) == pytest.approx(exp(z))
        return
    found = torch.trapezoid((z * (1 - EVEN)).exp() * EVEN ** (order - 1), EVEN) / factorial(order - 1)
    assert phi(order, z) == pytest.approx(found.item(), rel=1e-7)


@pytest.mark.parametrize("rate", [1.0, 2.0])
def test_moments_are_integrals(rate: float) -> None:
    h, u = 0.7, 0.7 * EVEN
    for k, found in enumerate(moments(h, 4, rate)):
        assert found == pytest.approx(torch.trapezoid(rate * (-rate * (h - u)).exp() * u**k, u).item(), rel=1e-7)
    for k, found in enumerate(noise_moments(h, 4)):
        assert found == pytest.approx(torch.trapezoid((h - u).exp() * u**k, u).item(), rel=1e-7)


def test_weights_integrate_every_power() -> None:
    nodes, integrals = [0.0, -0.4, -1.1], [0.9, 0.3, 0.2]
    shares = weights(nodes, integrals)
    for k, integral in enumerate(integrals):
        assert sum(share * node**k for share, node in zip(shares, nodes, strict=True)) == pytest.approx(integral)


def test_levels_before_lie_in_the_past() -> None:
    assert since(1.0, [1.0, exp(1.0)]) == [0.0, pytest.approx(-1.0)]
    one = torch.ones(1, 1, 1, 1)
    assert weighed([0.5, 2.0], [one, 3 * one]).item() == 6.5
