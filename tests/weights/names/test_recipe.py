import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.weights.containers.source import in_memory
from inkwash.weights.names.recipe import Act, Recipe, recast, renamed

X = torch.arange(24.0)


@pytest.mark.parametrize(
    ("act", "old", "new"),
    [
        ("same", X, X),
        ("linear", X.reshape(4, 6, 1, 1), X.reshape(4, 6)),
        ("linear", X.reshape(4, 6), X.reshape(4, 6)),
        ("linear", X.reshape(2, 3, 2, 2), X.reshape(2, 3, 2, 2)),
        ("linear", X, X),
        ("conv", X.reshape(4, 6), X.reshape(4, 6, 1, 1)),
        ("conv", X, X),
        ("transposed", X.reshape(4, 6), X.reshape(4, 6).t()),
        ("swapped", X, torch.cat([X[12:], X[:12]])),
        ("q", X, X[:8]),
        ("k", X.reshape(3, 8), X.reshape(3, 8)[1:2]),
        ("v", X, X[16:]),
    ],
)
def test_every_act_and_the_shape_it_promises(act: Act, old: torch.Tensor, new: torch.Tensor) -> None:
    made = recast(in_memory({"old": old}), {"new": Recipe(("old",), act)})
    assert torch.equal(made["new"], new)
    assert made.shape("new") == tuple(new.shape)


def test_stacking_wants_equals() -> None:
    source = in_memory({"a": X, "b": X.half(), "c": X[:3]})
    for other in ("b", "c"):
        with pytest.raises(WeightsError, match=f"a, {other} differ"):
            recast(source, {"new": Recipe(("a", other), "stacked")})


def test_two_names_for_one_are_refused() -> None:
    with pytest.raises(WeightsError, match="'a' and 'A' both stand for 'a'"):
        renamed(["a", "A"], str.lower)


def test_odd_halves_are_refused() -> None:
    with pytest.raises(WeightsError, match="cannot be cut in 2"):
        recast(in_memory({"a": X[:3]}), {"b": Recipe(("a",), "swapped")})
