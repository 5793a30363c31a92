"""What SDXL and its refiner are told about the wanted picture, as numbers.  (Podell et al. 2023, 2.2)"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest

Sides = tuple[int, int]
"""Height and width in pixels: this order, since the networks were taught it."""
PLEASING, PLAIN = 6.0, 2.5
"""How pleasing a picture is, as a refiner hears it: the wanted one and the unwanted one."""


@dataclass(frozen=True)
class Canvas:
    """The wanted picture as one of the training set: how large it was, what was cut off, how large it became."""

    target: Sides
    original: Sides | None = None
    """None: as the target. Smaller ones make blurred pictures."""
    corner: Sides = (0, 0)
    """Rows and columns cut off at the top and at the left; more than 0 cuts off heads."""
    aesthetic: float = PLEASING
    """From 1 to 10; told to refiners instead of the target."""

    def numbers(self, count: int, pictures: int = 1) -> Float[Tensor, "b numbers"]:
        """`TextStates.size` for so many pictures, told to a network that wants `count` numbers.

        Raises InvalidRequest for a count that no network wants.
        """
        original = self.original or self.target
        match count:
            case 6:
                told: tuple[float, ...] = (*original, *self.corner, *self.target)
            case 5:
                told = (*original, *self.corner, self.aesthetic)
            case _:
                raise InvalidRequest("numbers of a picture's size", count, "6, or 5 for a refiner")
        return torch.tensor([told], dtype=torch.float32).repeat(pictures, 1)
