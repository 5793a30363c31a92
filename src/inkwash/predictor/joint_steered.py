"""Lists of residuals added to the blocks of SD 3's transformer while it runs; its own file knows nothing of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.residuals import Helper
from inkwash.types import Latents, TextStates

Both = tuple[Tensor, Tensor]
"""Patches and words."""


@dataclass(frozen=True)
class JointSteered:
    """A transformer and all that helps it, as one noise predictor."""

    network: MMDiT
    helpers: Sequence[Helper]

    def __call__(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        """As the transformer alone."""
        lists = [helper.residuals(x, t, text).skips for helper in self.helpers]
        with adding(self.network, [each for each in lists if each]):
            return self.network(x, t, text)  # type: ignore[no-any-return]


@contextmanager
def adding(network: MMDiT, lists: Sequence[Sequence[Tensor]]) -> Iterator[None]:
    """Inside the block every list is spread over the transformer's blocks; all that fall upon one are added to it.

    The last block, which no longer carries words on, is left as it is. A block that is left out is still added to.
    """
    with ExitStack() as hooks:
        for index, block in enumerate(network.transformer_blocks[:-1] if lists else ()):
            falling = [each[shared(index, network.spec.depth, len(each))] for each in lists]
            hooks.callback(block.register_forward_hook(_added(falling)).remove)
        yield


def shared(index: int, depth: int, count: int) -> int:
    """Which of `count` residuals belongs to a block of `depth`: as diffusers shares them out, to the last rounding."""
    return int(index / (depth / count))


def _added(falling: Sequence[Tensor]) -> Callable[[nn.Module, object, Both], Both]:
    def hook(_: nn.Module, __: object, out: Both) -> Both:
        x, words = out
        for each in falling:
            x = x + each
        return x, words

    return hook
