"""Sample sheets: the same prompts and the same noise every time, so that progress can be seen."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from inkwash.denoiser import NetworkDenoiser, guided
from inkwash.files import atomic
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.spacing import SPACINGS
from inkwash.rng import NoiseSource
from inkwash.training.cache import LatentSpace, Words
from inkwash.training.config import TrainConfig
from inkwash.types import Pixels

GUIDANCE, STEPS, SPACING = 3.0, 25, "uniform"


@torch.inference_mode()
def sheet(
    model: nn.Module, space: LatentSpace, words: Words, config: TrainConfig, shape: tuple[int, int, int]
) -> Pixels:
    """A picture for each prompt of the config; picture k is always painted from seed k.  `shape`: of a latent."""
    schedule, prompts = config.noise_levels(), config.prompts
    noise = NoiseSource.seeded(range(len(prompts)))
    sigmas = SPACINGS[SPACING](schedule, STEPS)
    wanted, unwanted = words(prompts), words([""] * len(prompts))
    denoise = guided(
        NetworkDenoiser(model, schedule, config.target, wanted),
        NetworkDenoiser(model, schedule, config.target, unwanted),
        GUIDANCE,
    )
    x = noise.draw(shape) * sigmas[0]
    for step in SAMPLERS["dpmpp_2m"](denoise, x, sigmas, noise):
        x = step.x
    return space.decode(x)


def save_sheet(pixels: Pixels, path: Path, columns: int = 8) -> None:
    """Write pictures side by side, `columns` in a row, as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    grid = torch.cat([_row(part, columns) for part in levels.split(columns)], dim=1)
    with atomic(path, overwrite=True) as part:
        Image.fromarray(grid.permute(1, 2, 0).contiguous().numpy()).save(part, "PNG")


def _row(pictures: torch.Tensor, columns: int) -> torch.Tensor:
    blank = pictures.new_full((columns - len(pictures), *pictures.shape[1:]), 255)
    side_by_side: Sequence[torch.Tensor] = [*pictures, *blank]
    return torch.cat(list(side_by_side), dim=2)
