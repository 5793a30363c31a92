import pytest
import torch
from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.predictor.residuals import NOTHING
from inkwash.predictor.t2i_adapter import FULL, FULL_XL, LIGHT, Adapted, AdapterResidual, AdapterSpec, T2IAdapter
from inkwash.types import TextStates

TEXT = TextStates(torch.zeros(2, 3, 16))
T = torch.tensor([5.0, 900.0])


@pytest.mark.parametrize(
    ("spec", "parameters", "tensors"), [(FULL, 77_369_280, 38), (FULL_XL, 79_028_160, 38), (LIGHT, 18_689_200, 80)]
)
def test_released_ones_have_their_number_of_parameters(spec: AdapterSpec, parameters: int, tensors: int) -> None:
    with torch.device("meta"):
        adapter = T2IAdapter(spec)
    assert sum(weight.numel() for weight in adapter.parameters()) == parameters
    assert len(adapter.state_dict()) == tensors
    assert not any(isinstance(module, nn.GroupNorm | nn.LayerNorm) for module in adapter.modules())


@pytest.mark.parametrize(
    ("spec", "sides"),
    [
        (FULL, [(64, 48), (32, 24), (16, 12), (8, 6)]),
        (LIGHT, [(64, 48), (32, 24), (16, 12), (8, 6)]),
        (FULL_XL, [(32, 24), (32, 24), (16, 12), (16, 12)]),
    ],
)
def test_maps_have_the_sizes_of_the_stages(spec: AdapterSpec, sides: list[tuple[int, int]]) -> None:
    with torch.device("meta"):
        maps = T2IAdapter(spec)(torch.zeros(1, 3, 512, 384))
    assert [tuple(each.shape[1:]) for each in maps] == [(c, *s) for c, s in zip(spec.channels, sides, strict=True)]


def test_odd_maps_shrink_to_the_larger_half() -> None:
    with torch.device("meta"):
        maps = T2IAdapter(FULL)(torch.zeros(1, 3, 120, 88))
    assert [tuple(each.shape[2:]) for each in maps] == [(15, 11), (8, 6), (4, 3), (2, 2)]


def test_a_block_that_adds_nothing_is_its_skip() -> None:
    block, x = AdapterResidual(4, 1), torch.randn(1, 4, 3, 3)
    nn.init.zeros_(block.block2.weight)
    nn.init.zeros_(block.block2.bias)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (1, 3, 60, 64), (1, 3, 64, 63)])
def test_a_hint_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with torch.device("meta"), pytest.raises(InvalidRequest, match="3 channels and sides that are multiples of 8"):
        T2IAdapter(FULL)(torch.zeros(shape))


def test_maps_act_at_their_strength_and_steps() -> None:
    maps, x = (torch.randn(1, 4, 2, 2), torch.randn(1, 8, 1, 1)), torch.randn(2, 4, 8, 8)
    said = Adapted(maps, scale=0.5).residuals(x, T, TEXT)
    assert all(map(torch.equal, said.stages, [0.5 * each for each in maps]))
    assert (said.skips, said.middle) == ((), None)
    assert Adapted(maps, interval=(901.0, 1000.0)).residuals(x, T, TEXT) is NOTHING
