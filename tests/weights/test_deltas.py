"""Every product against one that is written out number by number."""

from collections.abc import Callable

import torch
from torch import Tensor

from inkwash.weights.deltas import Delta, Full, Hadamard, Kronecker, LowRank, Rows, tucker

OUT, IN, RANK, SIDE = 6, 4, 3, 2


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(n * 10**k for k, n in enumerate(shape))))


def sums(terms: Callable[[int, int], Tensor]) -> Tensor:
    """A matrix from a formula for each of its numbers."""
    return torch.stack([torch.stack([terms(row, column) for column in range(IN)]) for row in range(OUT)])


def same(delta: Delta, shape: tuple[int, ...], wanted: Tensor) -> None:
    found = delta(shape)
    assert found.shape == shape
    torch.testing.assert_close(found, wanted.reshape(shape), atol=1e-5, rtol=1e-5)


def test_low_rank_is_a_sum_over_the_rank() -> None:
    up, down = drawn(OUT, RANK), drawn(RANK, IN)
    wanted = sums(lambda o, i: sum((up[o, r] * down[r, i] for r in range(RANK)), torch.zeros(())))
    same(LowRank(up, down, 0.5), (OUT, IN), 0.5 * wanted)


def test_a_convolution_is_a_small_one_and_then_one_without_places() -> None:
    up, down, x = drawn(OUT, RANK, 1, 1), drawn(RANK, IN, 3, 3), drawn(1, IN, 5, 5)
    kernel = LowRank(up, down)((OUT, IN, 3, 3))
    one_by_one = torch.conv2d(torch.conv2d(x, down), up)
    torch.testing.assert_close(torch.conv2d(x, kernel), one_by_one, atol=1e-4, rtol=1e-4)


def test_a_kernel_in_the_middle_is_three_convolutions() -> None:
    up, mid, down, x = drawn(OUT, RANK, 1, 1), drawn(RANK, RANK, 3, 3), drawn(RANK, IN, 1, 1), drawn(1, IN, 5, 5)
    kernel = LowRank(up, down, mid=mid)((OUT, IN, 3, 3))
    one_by_one = torch.conv2d(torch.conv2d(torch.conv2d(x, down), mid), up)
    torch.testing.assert_close(torch.conv2d(x, kernel), one_by_one, atol=1e-4, rtol=1e-4)


def test_factors_of_a_linear_layer_serve_a_convolution_without_places() -> None:
    up, down = drawn(OUT, RANK), drawn(RANK, IN)
    same(LowRank(up, down), (OUT, IN, 1, 1), up @ down)
    same(LowRank(up[:, :, None, None], down[:, :, None, None]), (OUT, IN), up @ down)


def test_hadamard_is_the_product_of_two_matrices_number_by_number() -> None:
    a, b, c, d = drawn(OUT, RANK), drawn(RANK, IN), drawn(OUT, 2), drawn(2, IN)
    same(Hadamard(a, b, c, d, 0.25), (OUT, IN), 0.25 * (a @ b) * (c @ d))


def test_hadamard_with_kernels_sums_over_both_ranks() -> None:
    a, b, core = drawn(RANK, OUT), drawn(RANK, IN), drawn(RANK, RANK, SIDE, SIDE)
    wanted = torch.zeros(OUT, IN, SIDE, SIDE)
    for i in range(RANK):
        for j in range(RANK):
            wanted += a[i][:, None, None, None] * b[j][None, :, None, None] * core[i, j]
    same(Hadamard(a, b, a, b, t1=core, t2=core), tuple(wanted.shape), wanted**2)
    torch.testing.assert_close(tucker(core, a, b), wanted.flatten(1))


def test_kronecker_puts_a_block_for_every_number() -> None:
    w1, w2 = drawn(2, 2), drawn(OUT // 2, IN // 2)
    wanted = sums(lambda o, i: w1[o // 3, i // 2] * w2[o % 3, i % 2])
    same(Kronecker((w1,), (w2,), 2.0), (OUT, IN), 2 * wanted)


def test_kronecker_of_a_kernel_keeps_places_apart() -> None:
    w1, w2 = drawn(2, 2), drawn(OUT // 2, IN // 2, SIDE, SIDE)
    found = Kronecker((w1,), (w2,))((OUT, IN, SIDE, SIDE))
    for y in range(SIDE):
        for x in range(SIDE):
            torch.testing.assert_close(found[:, :, y, x], torch.kron(w1, w2[:, :, y, x]))


def test_a_share_of_rows_is_a_share_of_the_whole() -> None:
    whole = drawn(3 * OUT, IN)
    for index in range(3):
        same(Rows(Full(whole), index, 3), (OUT, IN), whole[index * OUT : (index + 1) * OUT])


def test_half_precision_is_multiplied_in_full() -> None:
    up, down = drawn(OUT, RANK).half(), drawn(RANK, IN).half()
    assert torch.equal(LowRank(up, down)((OUT, IN)), up.float() @ down.float())
