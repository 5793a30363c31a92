import pytest
import torch
from torch import nn

from inkwash.errors import WeightsError
from inkwash.weights.fit import fit, misfits


def test_a_state_that_fits_is_loaded_in_the_modules_precision() -> None:
    module = nn.Linear(2, 3)
    fit(module, {"weight": torch.ones(3, 2).half(), "bias": torch.arange(3).half()})
    assert module.weight.dtype == torch.float32
    assert module(torch.ones(1, 2)).tolist() == [[2.0, 3.0, 4.0]]


def test_every_misfit_is_listed_and_nothing_loaded() -> None:
    module = nn.Linear(2, 3)
    before = module.weight.clone()
    with pytest.raises(WeightsError) as raised:
        fit(module, {"weight": torch.ones(2, 3), "wieght": torch.ones(1)}, "model.safetensors")
    assert str(raised.value) == (
        "model.safetensors does not fit: missing bias; unknown wieght; weight is (2, 3), wanted (3, 2)"
    )
    assert torch.equal(module.weight, before)


def test_long_lists_are_counted() -> None:
    with pytest.raises(WeightsError, match=r"; unknown n07 and 4 more$"):
        fit(nn.Identity(), {f"n{number:02}": torch.ones(1) for number in range(12)})


def test_no_misfits() -> None:
    module = nn.Conv2d(1, 2, 3)
    assert misfits(module, module.state_dict()) == []
