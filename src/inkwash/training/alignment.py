"""A predictor learns sooner if the bottom of its U also learns to see.  (REPA: Yu et al. 2025, eq. 8)

What a frozen ImageNet network sees in the clean picture is what a small head must read from the noisy one. The head is
thrown away after training.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cosine_similarity

from inkwash.files import atomic
from inkwash.nn.imagenet import ImageNet, classifier, enlarged
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.training.data import Pictures
from inkwash.training.objective import Batch, Lesson, TellTheNoise
from inkwash.types import Latents, TextStates

BLOCK, WIDTH = 15, 320
"""Lite0's last block: a 32nd of the picture's side, and as many channels."""
CHUNK = 64


class Aligned(nn.Module):
    """A U-Net, and the head that reads from its bottom; called like the U-Net alone."""

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        width = spec.stages[-1].channels
        self.predictor = UNet(spec)
        self.head = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.SiLU(), nn.Conv2d(2 * width, WIDTH, 1))

    def forward(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Float[Tensor, "b out h w"]:
        """The U-Net's answer."""
        return self.predictor(x, t, text)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class AlsoSee:
    """Tell the noise, and see at the bottom what there is to be seen."""

    tell: TellTheNoise
    weight: float

    def __call__(self, network: nn.Module, batch: Batch) -> Lesson:
        """Mean squared error + weight · (1 - cosine of what is seen), per picture."""
        assert isinstance(network, Aligned)  # noqa: S101  the course makes no other network
        assert batch.view is not None  # noqa: S101  nor other batches
        with watched(network.predictor.mid_block) as bottoms:
            lesson = self.tell(network, batch)
        seen = network.head(bottoms[0]).float()
        alike = cosine_similarity(seen, batch.view, dim=1).mean(dim=(1, 2))
        return Lesson(lesson.loss + self.weight * (1 - alike), lesson.sigma)


@contextmanager
def watched(module: nn.Module) -> Iterator[list[Tensor]]:
    """Whatever `module` answers meanwhile."""
    answers: list[Tensor] = []
    hook = module.register_forward_hook(lambda _, given, answer: answers.append(answer))
    try:
        yield answers
    finally:
        hook.remove()


@torch.inference_mode()
def view_cache(pictures: Pictures, side: int, folder: Path, *, flips: bool = True) -> Path:
    """What Lite0 sees in every picture (and in its mirror image), `side` x `side` places, of unit variance."""
    name = hashlib.sha256(f"{pictures.digest()} {side} {flips} {BLOCK}".encode()).hexdigest()[:16]
    path = folder / f"views-{name}.safetensors"
    if path.exists():
        return path
    eyes = classifier("lite0")
    views = torch.cat([_sides(eyes, chunk.float() / 127.5 - 1, side, flips) for chunk in pictures.pixels.split(CHUNK)])
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, overwrite=True) as part:
        save_file({"views": _standard(views)}, part)
    return path


def _sides(eyes: ImageNet, pixels: Tensor, side: int, flips: bool) -> Float[Tensor, "n sides c h w"]:
    looks = [pixels, pixels.flip(-1)] if flips else [pixels]
    seen = [adaptive_avg_pool2d(eyes.maps(enlarged(look), (BLOCK,))[0], side) for look in looks]
    return torch.stack(seen, dim=1)


def _standard(views: Float[Tensor, "n sides c h w"]) -> Float[Tensor, "n sides c h w"]:
    """Without what all pictures share, which would make any two look alike."""
    each = (0, 1, 3, 4)
    spread = views.std(dim=each, keepdim=True).clamp(min=1e-3)
    return ((views - views.mean(dim=each, keepdim=True)) / spread).half().contiguous()
