"""The decoder against its critic, both in one step: each of the two losses moves the weights of one of them only."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from inkwash.latent.autoencoder import Autoencoder
from inkwash.nn.imagenet import ImageNet
from inkwash.training.autoencoder import ReconstructionWeights, lesson
from inkwash.training.autoencoder_course import Crops
from inkwash.training.discriminator import PatchDiscriminator, Verdicts, adaptive_weight, critic_loss, painter_loss
from inkwash.training.objective import Lesson
from inkwash.types import Pixels

ENCODING = ("encoder", "quant_conv")
MOST = 1e3
"""By how much a weak critic is made louder at most."""


class Duel(nn.Module):
    """An autoencoder whose encoder does not learn, and the critic of its pictures."""

    def __init__(self, autoencoder: Autoencoder, critic: PatchDiscriminator) -> None:
        super().__init__()
        self.autoencoder, self.critic = autoencoder, critic
        for name, part in autoencoder.named_children():
            part.requires_grad_(name not in ENCODING)


@dataclass(frozen=True)
class Shown:
    """Crops, and how hard the critic pulls when they are seen."""

    crops: Crops
    pull: float

    def __len__(self) -> int:
        return len(self.crops)


@dataclass(frozen=True)
class FoolTheCritic:
    """Likeness to the eye, and patches that a critic takes for photographs.  (Esser et al. 2021, eq. 6)"""

    eyes: ImageNet
    weights: ReconstructionWeights

    def __call__(self, duel: nn.Module, shown: Shown) -> Lesson:
        """What the decoder and the critic have to learn from a batch, as one sum."""
        assert isinstance(duel, Duel)  # noqa: S101  the course makes no other network
        crops = shown.crops
        told = lesson(duel.autoencoder, crops.pixels, crops.eps, self.eyes, self.weights, halved=crops.halved)
        real, fake = duel.critic(torch.cat([crops.pixels, told.found.detach()])).chunk(2)
        loss = told.loss + critic_loss(real, fake)
        if shown.pull:
            fooled = painter_loss(judged(duel.critic, told.found))
            last = duel.autoencoder.decoder.conv_out.weight
            loss = loss + shown.pull * adaptive_weight(told.loss, fooled, last, MOST) * fooled
        return Lesson(loss.expand(len(crops)), torch.zeros(len(crops)))


def judged(critic: PatchDiscriminator, pixels: Pixels) -> Verdicts:
    """What the critic says, without learning to say something else."""
    still = {name: weight.detach() for name, weight in critic.named_parameters()}
    return functional_call(critic, still, (pixels,))  # type: ignore[no-any-return]
