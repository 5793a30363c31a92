"""Weights that rest in half floats give what wide ones give, to the last bit."""

from mmap import ACCESS_COPY, mmap
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inkwash.nn.resting import Resting, aligned, rests

LAYERS = {
    "linear": (lambda: nn.Linear(24, 40), (3, 24)),
    "conv": (lambda: nn.Conv2d(8, 16, 3, padding=1), (2, 8, 9, 7)),
    "point": (lambda: nn.Conv2d(8, 16, 1, bias=False), (2, 8, 9, 7)),
    "group norm": (lambda: nn.GroupNorm(4, 16), (2, 16, 5, 5)),
    "layer norm": (lambda: nn.LayerNorm(24), (3, 24)),
    "rms norm": (lambda: nn.RMSNorm(24), (3, 24)),
}


def pair(make: object, kind: torch.dtype) -> tuple[nn.Module, nn.Module]:
    """A layer whose weights rest in a type, and one with the same numbers widened."""
    torch.manual_seed(0)
    resting, wide = make(), make()  # type: ignore[operator]
    state = {name: torch.randn_like(weight).to(kind) for name, weight in resting.state_dict().items()}
    resting.load_state_dict({name: Resting(each, requires_grad=False) for name, each in state.items()}, assign=True)
    wide.load_state_dict({name: each.float() for name, each in state.items()})
    return resting, wide.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float8_e4m3fn])
@pytest.mark.parametrize("short", [None, torch.bfloat16])
def test_layers_give_the_same_bits(name: str, kind: torch.dtype, short: torch.dtype | None) -> None:
    make, shape = LAYERS[name]
    resting, wide = pair(make, kind)
    assert rests(resting)
    assert not rests(wide)
    x = torch.randn(shape)
    with torch.inference_mode(), torch.autocast("cpu", short or torch.bfloat16, enabled=short is not None):
        assert torch.equal(resting(x), wide(x))
    assert all(weight.dtype == kind for weight in resting.parameters())  # it went on resting


def test_rows_of_a_table_are_chosen_before_they_are_widened() -> None:
    resting, wide = pair(lambda: nn.Embedding(50, 8), torch.float16)
    rows = resting(torch.tensor([[3, 1, 3]]))
    assert rows.dtype == torch.float32
    assert torch.equal(rows, wide(torch.tensor([[3, 1, 3]])))


def test_sums_with_a_part_of_a_weight_are_wide() -> None:
    table = Resting(torch.randn(5, 4).half(), requires_grad=False)
    assert torch.equal(torch.ones(2, 4) + table[:2], 1 + table.data[:2].float())


def test_what_lies_in_a_file_stays_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(torch.randn(64, 64).half().numpy().tobytes())
    with (tmp_path / "x").open("rb") as file:
        data = mmap(file.fileno(), 0, access=ACCESS_COPY)
    lying = torch.frombuffer(data, dtype=torch.float16).reshape(64, 64)
    layer = nn.Linear(64, 64, bias=False, device="meta")
    layer.load_state_dict({"weight": Resting(lying, requires_grad=False)}, assign=True)
    before = layer.weight.data_ptr()
    layer.eval().requires_grad_(False).to(torch.device("cpu"))(torch.randn(2, 64))
    assert layer.weight.data_ptr() == before == lying.data_ptr()


def test_what_begins_askew_is_moved() -> None:
    whole: Tensor = torch.zeros(128)
    assert aligned(whole) is whole
    assert aligned(whole[1:]).data_ptr() % 64 == 0
