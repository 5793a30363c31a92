"""One batch's network behind the seam: what every picture is told, guided as its request wants it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.denoiser import Denoiser, NetworkDenoiser, NoisePredictor, guided, guided_at_once
from inkwash.guidance import instructed
from inkwash.pipeline.aids import ALONE, Aids
from inkwash.pipeline.aim import Aim, along, interval_of
from inkwash.pipeline.batch import Batch
from inkwash.pipeline.beside import Beside, shown
from inkwash.pipeline.pieces import in_pieces
from inkwash.pipeline.telling import informed, informed_away, scale_of
from inkwash.pipeline.wording import Told, columns
from inkwash.types import Latents, TextStates
from inkwash.weights.bundle import Bundle

AT_ONCE = 2**16
"""Up to so many latent places, guidance asks the network once for both halves."""

Asked = Callable[[NoisePredictor, Latents, Float[Tensor, " b"], TextStates], Latents]
"""Asks a network in the precision that is wanted."""


@dataclass(frozen=True)
class Guesser:
    """What the pictures of a batch are told -> a denoiser; `beside` is what some networks are shown."""

    bundle: Bundle
    predict: Asked
    batch: Batch
    aimed: Aim
    aids: Aids = ALONE
    beside: Beside | None = None

    def __call__(self, told: Sequence[Told]) -> Denoiser:
        """The network asked for what is wanted and for what is not, as often as guidance needs it."""
        asked, aimed = self.batch.shared, self.aimed
        interval, scale = interval_of(asked), scale_of(self.batch, self.bundle)
        *wanted, (away, _) = columns(told)
        unaware = self.aids.shown(informed_away(away, self.batch, self.bundle), wanted=False)
        unwanted = shown(unaware, self.beside)
        texts = [self.aids.shown(informed(states, self.batch, self.bundle)) for states, _ in wanted]
        networks = [self._network(shown(text, self.beside)) for text in texts]
        ways = [(aimed.shared(one), weights) for one, (_, weights) in zip(networks, wanted, strict=True)]
        opposed = self._network(unwanted, wanted=False)
        if asked.image_guidance is not None and self.beside is not None:
            blind = replace(opposed, text=shown(unaware, torch.zeros_like(self.beside)))
            guess = instructed(ways[0][0], opposed, blind, (scale, asked.image_guidance), interval)
        elif not all(each.is_simple for each in told):
            guess = along(ways, opposed, scale, interval, aimed.rule)
        elif self._fits_at_once and not aimed.pushes:
            guess = guided_at_once(networks[0], unwanted, scale, interval, aimed.rule)
        else:
            guess = guided(ways[0][0], opposed, scale, interval, aimed.rule)
        return aimed.taken(guess, networks, ways)

    @property
    def _fits_at_once(self) -> bool:
        asked, factor = self.batch.shared, self.bundle.autoencoder.spec.factor
        small = len(self.batch) * (asked.width or 0) * (asked.height or 0) <= AT_ONCE * factor**2
        return small and self.aids.alike and not asked.memory.in_turn

    def _network(self, words: TextStates, *, wanted: bool = True) -> NetworkDenoiser:
        network, factor = self.bundle.predictor, self.bundle.autoencoder.spec.factor
        helped = partial(self.predict, self.aids.steered(network, wanted=wanted))
        predict = in_pieces(helped, network, self.batch.shared.tiling, factor)
        return NetworkDenoiser(predict, self.aimed.schedule, self.bundle.target, words)
