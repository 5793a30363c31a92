"""Averages of the weights against their closed forms."""

import numpy as np
import pytest
import torch
from torch import nn

from inkwash.training.average import Average, Snapshot, exponent, mixed, mixture, wearing


class One(nn.Module):
    """A single number."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value], dtype=torch.float64))


def averaged(steps: int, width: float) -> float:
    """The average of w(t) = t over `steps` steps."""
    model = One(0.0)
    average = Average.of(model, width)
    for step in range(1, steps + 1):
        model.weight.data.fill_(step)
        average.update(model, step * 4, 4)
    return average.weights["weight"].item()


@pytest.mark.parametrize("width", [0.05, 0.10, 0.2])
def test_the_exponent_gives_the_spread_it_was_asked_for(width: float) -> None:
    g = exponent(width)
    mean, square = (g + 1) / (g + 2), (g + 1) / (g + 3)  # moments of t under (g + 1) t^g on [0, 1]
    assert np.sqrt(square - mean**2) == pytest.approx(width)


@pytest.mark.parametrize("width", [0.05, 0.10])
def test_the_average_of_a_straight_line_is_the_profile_s_mean(width: float) -> None:
    g = exponent(width)
    assert averaged(4000, width) == pytest.approx(4000 * (g + 1) / (g + 2), rel=1e-3)


def test_the_first_step_forgets_the_beginning() -> None:
    assert averaged(1, 0.05) == 1.0


def test_a_snapshot_mixed_for_itself_is_itself() -> None:
    kept = [Snapshot(images, width) for images in (1000, 2000, 4000) for width in (0.05, 0.1)]
    shares = mixture(kept, Snapshot(4000, 0.1))
    assert shares == pytest.approx([0, 0, 0, 0, 0, 1], abs=1e-6)


def test_a_width_chosen_afterwards_is_what_it_would_have_been() -> None:
    rng = np.random.default_rng(0)
    path = np.cumsum(rng.standard_normal(2000))
    models = {width: One(0.0) for width in (0.05, 0.10, 0.07)}
    averages = {width: Average.of(model, width) for width, model in models.items()}
    kept, values = [], []
    for step, value in enumerate(path, start=1):
        for width, average in averages.items():
            models[width].weight.data.fill_(value)
            average.update(models[width], step, 1)
            if step % 100 == 0 and width != 0.07:
                kept.append(Snapshot(step, width))
                values.append({"weight": average.weights["weight"].clone()})
    found = mixed(zip(mixture(kept, Snapshot(2000, 0.07)).tolist(), values, strict=True))
    truth = averages[0.07].weights["weight"].item()
    assert found["weight"].item() == pytest.approx(truth, abs=0.02 * path.std())


def test_lent_weights_are_given_back() -> None:
    model = nn.Linear(2, 2)
    own = {name: weight.clone() for name, weight in model.state_dict().items()}
    with wearing(model, {"weight": torch.ones(2, 2), "bias": torch.zeros(2)}):
        assert not model.training
        assert model(torch.ones(1, 2)).tolist() == [[2, 2]]
    assert model.training
    assert all(torch.equal(weight, own[name]) for name, weight in model.state_dict().items())
