import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule
from inkwash.reverse.spacing import SPACINGS
from inkwash.reverse.spacing_tables import AYS, GITS_XL, from_table, lcm, sd_turbo

PLAIN = DiscreteSchedule.scaled_linear()


def test_ten_steps_are_the_table() -> None:
    sigmas = from_table(AYS)(PLAIN, 10)
    torch.testing.assert_close(sigmas[1:-1], torch.tensor(AYS[1:-1]))
    assert (sigmas[0].item(), sigmas[-1].item()) == (pytest.approx(PLAIN.sigma_max), 0)


def test_other_numbers_are_interpolated_in_log() -> None:
    sigmas = from_table(GITS_XL)(PLAIN, 20)
    torch.testing.assert_close(sigmas[2:-1:2], torch.tensor(GITS_XL[1:-1]))
    assert sigmas[3].item() == pytest.approx((GITS_XL[1] * GITS_XL[2]) ** 0.5)


def test_other_schedules_stretch_the_table() -> None:
    flow = FlowSchedule()
    sigmas = from_table(AYS)(flow, 10)
    assert sigmas[0].item() == pytest.approx(flow.sigma_max)
    assert flow.sigma_min < sigmas[-2].item() < 0.2


def test_lcm_is_some_of_fifty() -> None:
    assert PLAIN.t(lcm(PLAIN, 4)[:-1]).round().tolist() == [999, 759, 499, 259]
    assert len(lcm(PLAIN, 80)) == 81


def test_turbo_begins_a_ladder_of_ten() -> None:
    assert PLAIN.t(sd_turbo(PLAIN, 4)[:-1]).round().tolist() == [999, 899, 799, 699]


@pytest.mark.parametrize("name", ["align_your_steps", "lcm", "sd_turbo"])
def test_no_steps_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="steps is 0"):
        SPACINGS[name](PLAIN, 0)
