import pytest
import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.change import Change, Changes
from inkwash.weights.deltas import Full
from inkwash.weights.patch import Patch


def network(dtype: torch.dtype = torch.float32) -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict({"one": nn.Linear(5, 7), "two": nn.Linear(7, 3)}).to(dtype)


def changes(seed: int, *paths: str) -> Changes:
    noise, shapes = torch.Generator().manual_seed(seed), dict(network().named_parameters())
    return {path: Change(Full(torch.randn(shapes[path].shape, generator=noise))) for path in paths}


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in module.named_parameters()}


def same(module: nn.Module, wanted: dict[str, Tensor]) -> bool:
    return all(torch.equal(weight, wanted[name]) for name, weight in module.named_parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_taking_back_restores_every_bit(dtype: torch.dtype) -> None:
    module = network(dtype)
    before, patch = state(module), Patch(module)
    patch.add("a", changes(1, "one.weight", "one.bias"), 0.3)
    patch.add("b", changes(2, "one.weight", "two.weight"), 1.7)
    patch.scale("a", -2.0)
    assert not same(module, before)
    patch.remove("a")
    patch.remove("b")
    assert same(module, before)
    assert patch.strengths == {}


def test_changes_add_up_with_their_strengths() -> None:
    module = network()
    before, patch, one, two = state(module), Patch(module), changes(1, "one.weight"), changes(2, "one.weight")
    patch.add("a", one, 0.5)
    patch.add("b", two, 2.0)
    a, b = (each["one.weight"].delta((7, 5)) for each in (one, two))
    torch.testing.assert_close(module["one"].weight, before["one.weight"] + 0.5 * a + 2 * b)
    assert patch.strengths == {"a": 0.5, "b": 2.0}
    patch.remove("a")
    assert torch.equal(module["one"].weight, before["one.weight"] + 2 * b)


def test_scaling_back_and_forth_adds_up_no_errors() -> None:
    module, patch = network(), None
    patch = Patch(module)
    patch.add("a", changes(1, "one.weight"), 0.7)
    wanted = state(module)
    for strength in (3.1, -0.2, 0.0, 0.7):
        patch.scale("a", strength)
    assert same(module, wanted)


def test_half_precision_is_rounded_once() -> None:
    module = network(torch.bfloat16)
    before, patch, parts = state(module), Patch(module), [changes(seed, "one.weight") for seed in (1, 2, 3)]
    for index, part in enumerate(parts):
        patch.add(str(index), part, 0.1)
    wanted = before["one.weight"].float()
    for part in parts:
        wanted = wanted + 0.1 * part["one.weight"].delta((7, 5))
    assert torch.equal(module["one"].weight, wanted.bfloat16())


def test_strength_zero_is_the_network_itself() -> None:
    module = network()
    before, patch = state(module), Patch(module)
    patch.add("a", changes(1, "one.weight"), 0.0)
    assert same(module, before)


def test_baked_changes_stay() -> None:
    module = network()
    patch = Patch(module)
    patch.add("a", changes(1, "one.weight"))
    wanted = state(module)
    patch.bake()
    assert same(module, wanted)
    assert patch.strengths == {}
    patch.add("a", changes(2, "one.weight"))
    patch.remove("a")
    assert same(module, wanted)


def test_a_network_is_changed_in_place_and_goes_on_being_trained_or_not() -> None:
    module = network().requires_grad_(False)
    weight, patch = module["one"].weight, Patch(module)
    patch.add("a", changes(1, "one.weight"))
    assert module["one"].weight is weight
    assert not weight.requires_grad


def test_what_does_not_fit_is_listed_and_changes_nothing() -> None:
    module = network()
    before, patch = state(module), Patch(module)
    wrong = {
        **changes(1, "one.weight"),
        "two.bias": Change(Full(torch.zeros(4))),
        "three.weight": Change(Full(torch.zeros(4))),
    }
    with pytest.raises(WeightsError, match=r"^a does not fit: two\.bias is \(3,\); unknown three\.weight$"):
        patch.add("a", wrong)
    assert same(module, before)
    assert patch.strengths == {}


def test_names_are_given_once_and_must_be_known() -> None:
    patch = Patch(network())
    patch.add("a", changes(1, "one.weight"))
    with pytest.raises(InvalidRequest, match="adapter is 'a', but must be a new name"):
        patch.add("a", changes(1, "one.weight"))
    for act in (patch.remove, lambda name: patch.scale(name, 1.0)):
        with pytest.raises(InvalidRequest, match="adapter is 'b', but must be one of a"):
            act("b")
