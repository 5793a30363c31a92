from math import pi, tan

import pytest
import torch

from inkwash.text.tree import WEIGHTINGS, Weighting
from inkwash.text.weighting import LIGHTEST, faded, restored, weighted

Z = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [-1.0, 1.0]]])
E = torch.tensor([[[1.0, 2.0], [1.0, 0.0], [0.0, 1.0]]])
W = torch.tensor([[1.0, 2.0, 0.5]])


def found(mode: Weighting) -> list[list[float]]:
    return weighted(Z, W, mode, E)[0].tolist()


def test_plain_multiplies() -> None:
    assert found("plain") == [[1, 2], [6, 12], [-0.5, 0.5]]


def test_a1111_multiplies_and_restores_the_mean() -> None:
    # the numbers sum to 12 before and to 21 after
    expected = torch.tensor([[1, 2], [6, 12], [-0.5, 0.5]]) * (12 / 21)
    torch.testing.assert_close(torch.tensor(found("a1111")), expected)
    assert weighted(Z, W, "a1111", E).mean().item() == pytest.approx(Z.mean().item())


@pytest.mark.parametrize("mode", ["comfy", "compel"])
def test_comfy_and_compel_go_from_the_empty_prompt(mode: Weighting) -> None:
    assert found(mode) == [[1, 2], [5, 12], [-0.5, 1.0]]


@pytest.mark.parametrize("mode", WEIGHTINGS)
def test_weights_of_one_change_no_bit(mode: Weighting) -> None:
    assert weighted(Z, torch.ones(1, 3), mode, E) is Z


def test_the_mean_is_restored_over_all_rows_together() -> None:
    two = torch.cat([Z, Z])
    done = weighted(two, torch.cat([W, torch.ones(1, 3)]), "a1111", torch.cat([E, E]))
    assert done.mean().item() == pytest.approx(Z.mean().item())
    torch.testing.assert_close(done[1], Z[0] * (24 / 33))


def test_a_mean_of_nothing_restores_nothing() -> None:
    zero = Z - Z
    assert restored(zero, Z) is zero


def test_light_words_fade_half_way_at_a_half_and_away_at_nothing() -> None:
    torch.testing.assert_close(faded(Z, [E], [0.5]), (Z + E) / 2)
    torch.testing.assert_close(faded(Z, [E], [0.0]), E, atol=1e-3, rtol=0)
    torch.testing.assert_close(faded(Z, [E], [-3.0]), faded(Z, [E], [LIGHTEST]))
    assert torch.equal(faded(Z, [], []), Z)


def test_several_light_words_share_by_their_tangents() -> None:
    first, second = tan(0.25 * pi / 2), tan(0.75 * pi / 2)
    torch.testing.assert_close(
        faded(Z, [E, 2 * E], [0.75, 0.25]), (Z + first * E + 2 * second * E) / (1 + first + second)
    )
