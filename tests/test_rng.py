import pytest
import torch
from scipy.stats import kstest

from inkwash.rng import Mode, NoiseSource, between_columns, centred, philox, philox_4x32, sources


def test_the_same_seed_draws_the_same_noise() -> None:
    one, other = (NoiseSource.seeded([3, 4]) for _ in range(2))
    for _ in range(3):
        assert torch.equal(one.draw((1, 2, 5)), other.draw((1, 2, 5)))


def test_draws_follow_one_another() -> None:
    noise = NoiseSource.seeded([3])
    assert not torch.equal(noise.draw((1, 2, 4)), noise.draw((1, 2, 4)))


def test_image_k_does_not_depend_on_its_batch() -> None:
    together = NoiseSource.seeded([3, 4, 5])
    alone = NoiseSource.seeded([4])
    for _ in range(3):
        assert torch.equal(together.draw((4, 8, 8))[1], alone.draw((4, 8, 8))[0])


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    NoiseSource.seeded([3]).draw((1, 2, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_is_gaussian() -> None:
    drawn = NoiseSource.seeded(range(8)).draw((4, 16, 16))
    assert drawn.shape == (8, 4, 16, 16)
    assert kstest(drawn.flatten().numpy(), "norm").pvalue > 0.01


def test_neighbouring_seeds_share_nothing() -> None:
    first, second = NoiseSource.seeded([7, 8]).draw((4, 32, 32)).flatten(1)
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1].item()) < 0.05


def test_like_takes_shape_and_type() -> None:
    found = NoiseSource.seeded([1, 2]).like(torch.zeros(2, 3, 4, 5, dtype=torch.float64))
    assert (found.shape, found.dtype) == ((2, 3, 4, 5), torch.float64)
    assert torch.equal(found.float(), NoiseSource.seeded([1, 2]).draw((3, 4, 5)))


@pytest.mark.parametrize("seed", [0, 2**32, 2**63 - 1])
def test_all_seeds_draw(seed: int) -> None:
    assert NoiseSource.seeded([seed]).draw((1, 2, 2)).isfinite().all()


KNOWN = (
    ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0 << 32 | 0xA4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)
"""The test vectors of Random123, Salmon's own implementation."""


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_is_bit_equal(counter: tuple[int, ...], key: int, words: tuple[int, ...]) -> None:
    assert tuple(philox_4x32(torch.tensor(counter)[:, None], key).flatten().tolist()) == words


def test_philox_noise_is_cudas() -> None:
    """torch.manual_seed(0); torch.randn(1, device="cuda") prints -0.9247."""
    assert philox(0)((1,)).item() == pytest.approx(-0.92466259, abs=5e-7)


def test_philox_streams_go_on_and_are_gaussian() -> None:
    noise = NoiseSource.seeded(range(4), philox)
    first, second = noise.draw((4, 32, 32)), noise.draw((4, 32, 32))
    assert not torch.equal(first, second)
    assert kstest(second.flatten().numpy(), "norm").pvalue > 0.01
    assert torch.equal(first[2], NoiseSource.seeded([2], philox).draw((4, 32, 32))[0])


def test_a_shared_stream_draws_the_batch_at_once() -> None:
    expected = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(5))
    assert torch.equal(NoiseSource.shared(5, 3).draw((1, 2, 2)), expected)


def test_without_a_delta_the_same_streams_go_on() -> None:
    start, later = sources([3, 4])
    assert start is later


@pytest.mark.parametrize("mode", ["cpu", "philox"])
def test_a_delta_moves_what_samplers_draw(mode: Mode) -> None:
    start, later = sources([3, 4], mode, 31337)
    stream = philox if mode == "philox" else None
    assert torch.equal(start.draw((1, 2, 2)), NoiseSource.seeded([3, 4], stream).draw((1, 2, 2)))
    assert torch.equal(later.draw((1, 2, 2)), NoiseSource.seeded([31340, 31341], stream).draw((1, 2, 2)))


def test_a_batch_has_one_seed_and_its_sampler_the_next() -> None:
    start, later = sources([7, 8], "batch")
    assert torch.equal(start.draw((1, 2, 2)), NoiseSource.shared(7, 2).draw((1, 2, 2)))
    assert torch.equal(later.draw((1, 2, 2)), NoiseSource.shared(8, 2).draw((1, 2, 2)))


def test_seed_resize_keeps_the_middle() -> None:
    small, large = torch.ones(1, 1, 4, 2), torch.zeros(1, 1, 6, 6)
    found = centred(small, large)
    assert found.sum() == 8
    assert (found[..., 1:5, 2:4] == 1).all()
    wide = torch.arange(8.0).reshape(1, 1, 1, 8)
    assert centred(wide, torch.zeros(1, 1, 1, 4)).flatten().tolist() == [2, 3, 4, 5]


def test_columns_turn_each_by_itself() -> None:
    low, high = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    low[..., 0, :] = torch.tensor([1.0, 2.0])
    high[..., 1, :] = torch.tensor([1.0, 2.0])
    found = between_columns(low, high, 0.5)
    torch.testing.assert_close(found[0, 0, :, 0], torch.full((2,), 0.5**0.5))
    torch.testing.assert_close(found[0, 0, :, 1], torch.full((2,), 2 * 0.5**0.5))
    ends = between_columns(low, high, 0.0), between_columns(low, high, 1.0)
    torch.testing.assert_close(ends, (low, high))


def test_columns_that_hardly_differ_have_their_ends_exchanged() -> None:
    low = torch.ones(1, 1, 4, 4)
    torch.testing.assert_close(between_columns(low, 2 * low, 0.25), 1.75 * low)
