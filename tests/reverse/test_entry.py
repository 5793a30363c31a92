import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.entry import STARTS, handed_over
from inkwash.reverse.spacing import SPACINGS

TABLE = DiscreteSchedule.scaled_linear()


@pytest.mark.parametrize(
    ("rule", "steps", "strength", "planned", "walked"),
    [
        ("inkwash", 20, 0.75, 20, 15),
        ("inkwash", 20, 0.01, 20, 1),
        ("inkwash", 10, 0.77, 10, 8),
        ("diffusers", 10, 0.77, 10, 7),
        ("diffusers", 10, 0.6, 10, 6),
        ("diffusers", 10, 1.0, 10, 10),
        ("a1111", 20, 0.75, 20, 16),
        ("a1111", 20, 1.0, 20, 20),
        ("comfy", 20, 0.5, 40, 20),
        ("comfy", 20, 1.0, 20, 20),
    ],
)
def test_programs_differ_in_how_much_strength_walks(
    rule: str, steps: int, strength: float, planned: int, walked: int
) -> None:
    found, left_out = STARTS[rule](steps, strength)
    assert (found, found - left_out) == (planned, walked)


def test_diffusers_walks_nothing_where_strength_is_small() -> None:
    with pytest.raises(InvalidRequest, match=r"strength is 0\.05, but must be at least 1 / 10"):
        STARTS["diffusers"](10, 0.05)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.8])
def test_the_second_network_starts_where_the_first_stops(part: float) -> None:
    sigmas = SPACINGS["leading"](TABLE, 10)
    first, second = handed_over(TABLE, sigmas, part)
    assert first[-1] == second[0]
    assert torch.equal(torch.cat([first, second[1:]]), sigmas)
    told = TABLE.t(sigmas[:-1])
    assert len(first) - 1 == int((told >= 1000 - 1000 * part).sum())


def test_at_the_ends_one_network_walks_alone() -> None:
    sigmas = SPACINGS["karras"](TABLE, 10)
    assert torch.equal(handed_over(TABLE, sigmas, 1.0)[0], sigmas)
    assert torch.equal(handed_over(TABLE, sigmas, 0.0)[1], sigmas)
