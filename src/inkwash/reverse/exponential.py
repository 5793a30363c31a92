"""Exponential integrators: a linear part solved exactly, the network's part as a polynomial of time.

With λ = -ln σ the probability flow is dx/dλ = D - x. Through predictions at several λ goes one polynomial; how much
each of them weighs is an integral of e^u times a power of u.  (Hochbruck & Ostermann 2010, 2.1; Lu et al. 2022b, 3.2)
"""

from collections.abc import Sequence
from math import exp, factorial, log

import torch

from inkwash.types import Latents

NEAR = 2.0
TERMS = 30
"""Of the power series below NEAR: 2^30 / 30! is far beyond double precision."""


def phi(order: int, z: float) -> float:
    """φ_0 = e^z, φ_k = (φ_{k-1} - 1 / (k-1)!) / z, without the cancellation near 0."""
    if abs(z) < NEAR:
        return sum(z**j / factorial(j + order) for j in range(TERMS))
    return exp(z) if order == 0 else (phi(order - 1, z) - 1 / factorial(order - 1)) / z


def moments(h: float, count: int, rate: float = 1.0) -> list[float]:
    """∫₀ʰ rate · e^(-rate (h - u)) · u^k du for k = 0 … count - 1: what the powers of time become in a step of h."""
    return [rate * h ** (k + 1) * factorial(k) * phi(k + 1, -rate * h) for k in range(count)]


def noise_moments(h: float, count: int) -> list[float]:
    """∫₀ʰ e^(h - u) · u^k du: the same for predictions of the noise, in units of the level arrived at."""
    return [h ** (k + 1) * factorial(k) * phi(k + 1, h) for k in range(count)]


def weights(nodes: Sequence[float], integrals: Sequence[float]) -> list[float]:
    """How much a value at each node counts, so that the powers u^k integrate to `integrals`: Σ w_i u_i^k = m_k."""
    powers = torch.tensor([[node**k for node in nodes] for k in range(len(nodes))], dtype=torch.float64)
    solved: list[float] = torch.linalg.solve(powers, torch.tensor(integrals, dtype=torch.float64)).tolist()
    return solved


def since(now: float, levels: Sequence[float]) -> list[float]:
    """u = λ - λ(now) of every level: 0 for `now` itself, negative for the noisier ones before it."""
    return [log(now / level) for level in levels]


def weighed(shares: Sequence[float], guesses: Sequence[Latents]) -> Latents:
    """Σ share · guess."""
    first, *others = (share * guess for share, guess in zip(shares, guesses, strict=True))
    return sum(others, start=first)
