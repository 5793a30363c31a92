"""How a tensor of one naming is made of those of another; both ways lose nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from inkwash.errors import WeightsError, shown
from inkwash.weights.containers.source import Slot, Source

Shape = tuple[int, ...]
Act = Literal["same", "linear", "conv", "transposed", "swapped", "q", "k", "v", "stacked"]
THIRDS: Mapping[Act, int] = {"q": 0, "k": 1, "v": 2}


@dataclass(frozen=True)
class Recipe:
    """Which tensors are needed, and what is done to them."""

    olds: tuple[str, ...]
    act: Act = "same"
    """linear and conv drop and add the two axes of a 1x1 kernel; q, k and v are thirds of the first axis, stacked puts
    them together; swapped exchanges the halves of the first axis."""


Recipes = Mapping[str, Recipe]
"""New name -> how it is made."""


def recast(source: Source, recipes: Recipes) -> Source:
    """The tensors that `recipes` makes, made as they are fetched.  Raises WeightsError for what cannot be so cut."""
    slots = {new: _slot(source, recipe) for new, recipe in recipes.items()}

    def fetch(new: str) -> Tensor:
        recipe = recipes[new]
        return _made(recipe.act, [source[old] for old in recipe.olds])

    return replace(source, slots=slots, fetch=fetch)


def renamed(names: Iterable[str], rename: Callable[[str], str]) -> dict[str, Recipe]:
    """Recipes that only rename.  Raises WeightsError if two tensors would get one name."""
    recipes: dict[str, Recipe] = {}
    for old in names:
        new = rename(old)
        if new in recipes:
            raise WeightsError(f"{shown(recipes[new].olds[0])} and {shown(old)} both stand for {shown(new)}")
        recipes[new] = Recipe((old,))
    return recipes


def split(name: str, thirds: tuple[str, str, str]) -> dict[str, Recipe]:
    """Three tensors from one that holds queries, keys and values."""
    return {new: Recipe((name,), act) for new, act in zip(thirds, THIRDS, strict=True)}


def _slot(source: Source, recipe: Recipe) -> Slot:
    if missing := [old for old in recipe.olds if old not in source.slots]:
        raise WeightsError(f"{source.what} lacks {', '.join(missing)}, which belong to {recipe.olds[0]}")
    olds = [source.slots[old] for old in recipe.olds]
    shape = olds[0].shape
    match recipe.act:
        case "linear":
            shape = shape[:2] if shape[2:] == (1, 1) else shape
        case "conv":
            shape = (*shape, 1, 1) if len(shape) == 2 else shape
        case "transposed":
            shape = shape[::-1]
        case "q" | "k" | "v":
            shape = (_divided(recipe, shape, 3), *shape[1:])
        case "swapped":
            _divided(recipe, shape, 2)
        case "stacked":
            if any(old.shape != shape or old.dtype != olds[0].dtype for old in olds) or not shape:
                raise WeightsError(f"{', '.join(recipe.olds)} differ in shape or type")
            shape = (shape[0] * len(olds), *shape[1:])
    return Slot(olds[0].dtype, shape)


def _divided(recipe: Recipe, shape: Shape, parts: int) -> int:
    if not shape or shape[0] % parts:
        raise WeightsError(f"{shown(recipe.olds[0])} of shape {shape} cannot be cut in {parts}")
    return shape[0] // parts


def _made(act: Act, olds: list[Tensor]) -> Tensor:
    tensor = olds[0]
    match act:
        case "linear":
            tensor = tensor.flatten(1) if tensor.shape[2:] == (1, 1) else tensor
        case "conv":
            tensor = tensor[:, :, None, None] if tensor.ndim == 2 else tensor
        case "transposed":
            tensor = tensor.t().contiguous()
        case "q" | "k" | "v":
            tensor = tensor.chunk(3)[THIRDS[act]]
        case "swapped":
            tensor = torch.cat(tensor.chunk(2)[::-1])
        case "stacked":
            tensor = torch.cat(olds)
        case "same":
            pass
    return tensor
