import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.timetable import Timetable, fractional, interpolated, timesteps

PLAIN = DiscreteSchedule.scaled_linear()


def test_the_three_grids() -> None:
    assert timesteps("leading", 20, offset=1)[:2].tolist() == [951, 901]
    assert timesteps("leading", 20, offset=1, one_more=True)[:2].tolist() == [941, 894]
    assert timesteps("trailing", 30)[:3].tolist() == [999, 966, 932]
    assert timesteps("linspace", 5).tolist() == [999, 749.25, 499.5, 249.75, 0]
    assert timesteps("linspace", 4, one_more=True).tolist() == [999, 749.25, 499.5, 249.75]


@pytest.mark.parametrize("steps", [0, 1001])
def test_impossible_numbers_are_refused(steps: int) -> None:
    with pytest.raises(InvalidRequest, match="must be from 1 to 1000"):
        timesteps("leading", steps)


def test_levels_between_steps_are_means() -> None:
    found = interpolated(PLAIN, torch.tensor([0.5, 999.0], dtype=torch.float64))
    torch.testing.assert_close(found[0], PLAIN.sigmas[:2].double().mean())
    torch.testing.assert_close(found[1], PLAIN.sigmas[-1].double())


def test_fractional_undoes_sigma() -> None:
    t = torch.tensor([0.0, 0.3, 17.25, 500.5, 999.0], dtype=torch.float64)
    torch.testing.assert_close(fractional(PLAIN, PLAIN.sigma(t)), t, rtol=0, atol=1e-3)


def test_listed_levels_are_told_as_listed_and_others_as_ever() -> None:
    table = Timetable(PLAIN, PLAIN.sigma(torch.tensor([900.4, 10.6])), torch.tensor([900.0, 11.0]))
    assert table.t(PLAIN.sigma(torch.tensor(900.4))).item() == 900
    assert table.t(PLAIN.sigma(torch.tensor([10.6, 300.0]))).tolist() == [11, pytest.approx(300, abs=1e-2)]
    assert (table.sigma_min, table.sigma_max) == (PLAIN.sigma_min, PLAIN.sigma_max)
    assert torch.equal(table.sigma(torch.tensor(5.0)), PLAIN.sigma(torch.tensor(5.0)))
