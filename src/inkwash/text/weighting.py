"""What the weight of a word does to its token's state; the programs that read such prompts disagree.

a1111    z w, then scaled so that the mean of all numbers is what it was
comfy    e + w (z - e), where e is the state at the same place of an empty prompt
plain    z w
compel   e + w (z - e); words lighter than 1 moreover fade toward the prompt without them, see `faded`
"""

from collections.abc import Sequence
from math import pi, tan

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.text.tree import Weighting

LIGHTEST = 1e-5
"""Below it a faded word would have no finite share."""

States = Float[Tensor, "b tokens width"]
Weights = Float[Tensor, "b tokens"]


def weighted(states: States, weights: Weights, mode: Weighting, empty: States) -> States:
    """States of one chunk with the weights of their tokens; `empty` are those of the empty prompt.

    Where all weights are 1 the very same tensor comes back.
    """
    if bool((weights == 1).all()):
        return states
    factor = weights[:, :, None].to(states)
    match mode:
        case "plain":
            return states * factor
        case "a1111":
            return restored(states * factor, states)
        case "comfy" | "compel":
            return empty + factor * (states - empty)


def restored(after: States, before: States) -> States:
    """`after`, scaled to the mean of `before`; as it is where its mean is 0."""
    mean = after.mean()
    return after if mean == 0 else after * (before.mean() / mean)


def faded(whole: States, without: Sequence[States], weights: Sequence[float]) -> States:
    """A prompt on its way to prompts that lack its light words: half-way at 0.5, all the way at 0.

    (whole + sum t_k without_k) / (1 + sum t_k) with t = tan((1 - w) pi / 2).
    """
    shares = [1.0, *(tan((1 - max(weight, LIGHTEST)) * pi / 2) for weight in weights)]
    parts = zip(shares, [whole, *without], strict=True)
    return torch.stack([share * part for share, part in parts]).sum(dim=0) / sum(shares)
