"""The checks of all other tests: what is not as annotated does not pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from inkwash.forward.noising import add_noise
from inkwash.types import TextStates
from tools.checked import checked

REFUSED = (BeartypeCallHintViolation, TypeCheckError)
Row = Float[Tensor, " n"]


@checked
def added(x: Row, y: Row, *, cut: int = 0) -> Row:
    return (x + y)[cut:]


@checked
def counted(steps: int) -> Float[Tensor, " {steps}"]:
    return torch.zeros(max(steps, 1))


@checked
def sums(x: Row, y: Row) -> Iterator[float]:
    yield from added(x, y).tolist()


@checked
@dataclass(frozen=True)
class Pair:
    x: Row
    y: Row

    @checked
    @classmethod
    def of(cls, x: Row) -> "Pair":
        return cls(x, x)

    @checked
    @staticmethod
    def zeros(count: int) -> Row:
        return torch.zeros(count)

    @checked
    @property
    def sum(self) -> float:
        return float(added(self.x, self.y).sum()) if len(self.x) else 0


@checked
def known_later(x: "OnlyToTypeCheckers | None", y: Row) -> int:
    return len(y)


@checked
def many_known_later(x: list["OnlyToTypeCheckers"], y: Row) -> int:
    return len(y)


ONE, TWO = torch.ones(1), torch.ones(2)


def test_calls_that_are_as_annotated() -> None:
    assert added(TWO, TWO).tolist() == [2, 2]
    assert (len(counted(3)), list(sums(TWO, TWO)), known_later(object(), TWO)) == (3, [2, 2], 2)
    assert many_known_later([], TWO) == 2
    assert (Pair.of(TWO).sum, Pair.zeros(3).tolist()) == (4, [0, 0, 0])
    assert (added.__name__, Pair.of.__name__) == ("added", "of")


@pytest.mark.parametrize(
    "call",
    [
        lambda: added(ONE, TWO),  # torch itself would stretch the one
        lambda: added(TWO, TWO, cut=1),
        lambda: added(TWO, TWO, cut="1"),
        lambda: added(TWO.int(), TWO),
        lambda: counted(0),
        lambda: sums(ONE, TWO),
        lambda: known_later(None, "2"),
        lambda: Pair(ONE, TWO),
        lambda: Pair.of(torch.ones(1, 1)),
        lambda: Pair.zeros("3"),
        lambda: Pair(ONE[:0], ONE[:0]).sum,
    ],
)
def test_calls_that_are_not(call: Callable[[], object]) -> None:
    with pytest.raises(REFUSED):
        call()


def test_axes_are_forgotten_after_a_call() -> None:
    assert (len(added(ONE, ONE)), len(added(TWO, TWO))) == (1, 2)


def test_inkwash_is_checked() -> None:
    noise = torch.zeros(1, 4, 2, 2)
    with pytest.raises(REFUSED):
        add_noise(noise, torch.tensor(1.0), noise[:, :, :1])
    with pytest.raises(REFUSED):
        TextStates(torch.zeros(1, 3, 8), keep=torch.zeros(1, 2, dtype=torch.bool))
