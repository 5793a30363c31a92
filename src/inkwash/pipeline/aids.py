"""What helps a network while a batch is painted: other networks that add to it, and pictures it looks at."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from inkwash.denoiser import NoisePredictor
from inkwash.forward.schedule import Schedule
from inkwash.predictor.ip_adapter import Glance, looking_at_pictures
from inkwash.predictor.joint_steered import JointSteered
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.picture_tokens import PictureTokens
from inkwash.predictor.residuals import ALWAYS, Helper, Steered, window
from inkwash.predictor.unet import UNet
from inkwash.types import Sigmas, TextStates

NEAR = 1e-3
"""Steps t that are as good as equal."""


@dataclass(frozen=True)
class Aids:
    """Helpers of both halves of guidance, and what IP-Adapters look at."""

    wanted: tuple[Helper, ...] = ()
    unwanted: tuple[Helper, ...] = ()
    glances: tuple[Glance, ...] = ()
    seen: tuple[PictureTokens, ...] = ()
    """Tokens of pictures for every glance, (1, n, width)."""
    unseen: tuple[PictureTokens, ...] = ()
    """Tokens of nothing, which go with the unwanted words."""

    @property
    def alike(self) -> bool:
        """Whether both halves are helped by the same, so that the network may be asked once for both."""
        return [*map(id, self.wanted)] == [*map(id, self.unwanted)]  # tensors inside cannot be compared by ==

    def shown(self, words: TextStates, *, wanted: bool = True) -> TextStates:
        """Words with the tokens of pictures, the same for every picture that is painted."""
        tokens = self.seen if wanted else self.unseen
        if not tokens:
            return words
        return replace(words, pictures=tuple(each.to(words.states).expand(len(words), -1, -1) for each in tokens))

    def steered(self, network: UNet | MMDiT, *, wanted: bool = True) -> NoisePredictor:
        """The network with its helpers."""
        helpers = self.wanted if wanted else self.unwanted
        if not helpers:
            return network
        return JointSteered(network, helpers) if isinstance(network, MMDiT) else Steered(network, helpers)

    @contextmanager
    def looking(self, network: UNet | MMDiT) -> Iterator[None]:
        """Inside the block the network looks at pictures."""
        with ExitStack() as hooks:
            if isinstance(network, UNet):
                for glance in self.glances:
                    hooks.enter_context(looking_at_pictures(network, glance))
            yield


ALONE = Aids()


def acting_from(schedule: Schedule, sigmas: Sigmas, begin: float, end: float) -> tuple[float, float]:
    """The steps t between two parts of the way; nothing is left to rounding."""
    if (begin, end) == (0, 1):
        return ALWAYS
    low, high = window(schedule, sigmas, begin, end)
    return low - NEAR, high + NEAR
