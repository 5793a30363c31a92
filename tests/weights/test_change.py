from dataclasses import replace

import pytest
import torch
from torch import Tensor

from inkwash.weights.change import Change
from inkwash.weights.deltas import Full, Hadamard, Kronecker, LowRank, Rows

OUT, IN, RANK, SIDE = 6, 4, 3, 2


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(n * 10**k for k, n in enumerate(shape))))


MAGNITUDES = {
    "rows": (drawn(OUT, 1).abs(), (OUT, IN), (1,)),
    "rows, as a list": (drawn(OUT).abs(), (OUT, IN), (1,)),
    "columns": (drawn(1, IN).abs(), (OUT, IN), (0,)),
    "kernels by output": (drawn(OUT, 1, 1, 1).abs(), (OUT, IN, 3, 3), (1, 2, 3)),
    "kernels by input": (drawn(1, IN, 1, 1).abs(), (OUT, IN, 3, 3), (0, 2, 3)),
}


@pytest.mark.parametrize("name", MAGNITUDES)
def test_a_magnitude_is_the_norm_afterwards(name: str) -> None:
    magnitude, shape, axes = MAGNITUDES[name]
    weight, change = drawn(*shape), Change(Full(0.1 * drawn(*shape[::-1]).reshape(shape)), magnitude)
    moved = change.applied(weight, 1.0)
    norms = torch.linalg.vector_norm(moved, dim=axes, keepdim=True)
    torch.testing.assert_close(norms, magnitude.reshape(norms.shape))
    direction = weight + change.delta(shape)
    torch.testing.assert_close(moved / norms, direction / torch.linalg.vector_norm(direction, dim=axes, keepdim=True))


def test_magnitudes_are_for_matrices() -> None:
    assert not Change(Full(drawn(OUT)), drawn(OUT)).fits((OUT,))


@pytest.mark.parametrize("magnitude", [None, drawn(OUT, 1).abs()])
def test_strength_zero_changes_nothing(magnitude: Tensor | None) -> None:
    weight = drawn(OUT, IN)
    assert torch.equal(Change(Full(drawn(IN, OUT).T), magnitude).applied(weight, 0.0), weight)


def test_between_the_strengths_both_the_step_and_the_rescaling_grow() -> None:
    weight, step, magnitude = drawn(OUT, IN), drawn(IN, OUT).T, drawn(OUT, 1).abs()
    moved = weight + 0.3 * step
    norm = torch.linalg.vector_norm(moved, dim=1, keepdim=True)
    wanted = moved * ((magnitude / norm - 1) * 0.3 + 1)
    torch.testing.assert_close(Change(Full(step), magnitude).applied(weight, 0.3), wanted)


def test_a_row_of_zeros_stays_a_row_of_zeros() -> None:
    weight = drawn(OUT, IN)
    weight[2] = 0
    moved = Change(Full(torch.zeros(OUT, IN)), torch.ones(OUT, 1)).applied(weight, 1.0)
    assert torch.equal(moved[2], torch.zeros(IN))
    assert bool(moved.isfinite().all())


FITTING = Change(LowRank(drawn(OUT, RANK), drawn(RANK, IN)))


def test_what_fits_is_known_from_shapes_alone() -> None:
    assert FITTING.fits((OUT, IN))
    assert FITTING.fits((OUT, IN, 1, 1))
    assert replace(FITTING, magnitude=drawn(1, IN)).fits((OUT, IN))
    core = drawn(RANK, RANK, SIDE, SIDE)
    assert Change(LowRank(drawn(OUT, RANK), drawn(RANK, IN), mid=core)).fits((OUT, IN, SIDE, SIDE))
    tucked = Hadamard(*[drawn(RANK, OUT), drawn(RANK, IN)] * 2, t1=core, t2=core)
    assert Change(tucked).fits((OUT, IN, SIDE, SIDE))
    assert Change(Kronecker((drawn(2, 2),), (drawn(3, 2, SIDE, SIDE),))).fits((OUT, IN, SIDE, SIDE))
    assert Change(Rows(Full(drawn(3 * OUT, IN)), 1, 3)).fits((OUT, IN))
    assert Change(Full(drawn(OUT))).fits((OUT,))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(FITTING, delta=LowRank(drawn(OUT, RANK), drawn(RANK, IN + 1))),
        replace(FITTING, delta=LowRank(drawn(OUT, RANK), drawn(RANK + 1, IN))),
        replace(FITTING, delta=LowRank(drawn(OUT), drawn(IN))),
        replace(FITTING, delta=Full(drawn(OUT))),
        replace(FITTING, delta=Full(torch.tensor(1.0))),
        replace(FITTING, delta=LowRank(drawn(IN, RANK), drawn(RANK, OUT))),
        replace(FITTING, delta=LowRank(drawn(OUT, RANK), drawn(RANK, IN), mid=drawn(RANK, RANK, 3, 3))),
        replace(FITTING, delta=LowRank(drawn(OUT, RANK), drawn(RANK, IN), mid=drawn(RANK, RANK + 1, 1, 1))),
        replace(FITTING, delta=LowRank(drawn(OUT, RANK), drawn(RANK, IN), mid=drawn(RANK, RANK))),
        replace(FITTING, delta=Kronecker((drawn(2, 2),), (drawn(3, RANK), drawn(RANK + 1, 2)))),
        replace(FITTING, delta=Hadamard(*[drawn(RANK, OUT), drawn(RANK, IN)] * 2, t1=drawn(RANK, RANK, 1, 1))),
        replace(FITTING, delta=Kronecker((drawn(2, 2),), (drawn(2),))),
        replace(FITTING, delta=Hadamard(*[drawn(OUT, RANK)] * 4)),
        replace(FITTING, delta=Rows(Full(drawn(OUT, IN)), 0, 3)),
        replace(FITTING, magnitude=drawn(OUT + 1, 1)),
        replace(FITTING, magnitude=torch.tensor(1.0)),
    ],
)
def test_what_does_not_fit_is_known_too(wrong: Change) -> None:
    assert not wrong.fits((OUT, IN))
