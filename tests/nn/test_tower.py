import pytest
import torch
from torch import nn

from inkwash.nn.tower import Activation, Layers, TowerSpec, quick_gelu


def tower(*, causal: bool = True, activation: Activation = "gelu") -> Layers:
    torch.manual_seed(0)
    return Layers(TowerSpec(16, 3, 2, 24, activation, causal))


def test_every_layers_output_comes_back_and_first_what_went_in() -> None:
    x = torch.randn(2, 5, 16)
    outputs = tower()(x)
    assert len(outputs) == 4
    assert outputs[0] is x
    assert all(out.shape == x.shape for out in outputs)


@pytest.mark.parametrize("causal", [True, False])
def test_only_a_causal_tower_hides_what_follows(causal: bool) -> None:
    x = torch.randn(1, 5, 16)
    changed = x.clone()
    changed[:, 3] += 1
    with torch.no_grad():
        a, b = tower(causal=causal)(x)[-1], tower(causal=causal)(changed)[-1]
    assert torch.equal(a[:, :3], b[:, :3]) == causal
    assert not torch.allclose(a[:, 3:], b[:, 3:])


def test_the_perceptrons_have_the_width_that_is_wanted() -> None:
    assert {tuple(layer.mlp.fc1.weight.shape) for layer in tower().layers} == {(24, 16)}


def test_activations_are_not_the_same() -> None:
    x = torch.randn(1, 5, 16)
    with torch.no_grad():
        assert not torch.allclose(tower()(x)[-1], tower(activation="quick_gelu")(x)[-1], atol=1e-4)


def test_quick_gelu_is_close_to_gelu_but_not_gelu() -> None:
    x = torch.linspace(-4, 4, 101)
    apart = (quick_gelu(x) - nn.functional.gelu(x)).abs().max().item()
    assert 0.01 < apart < 0.03
    assert quick_gelu(torch.tensor(0.0)) == 0
