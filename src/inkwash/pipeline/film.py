"""The reverse process as moving pictures: on the left what is left of the noise, on the right what is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

import torch
from PIL import Image

from inkwash.forward.noising import shrink
from inkwash.pictures.picture import PAPER, grid
from inkwash.pipeline.engine import Engine
from inkwash.reverse.step import Step

FRAME, REST = 120, 1500  # milliseconds of a frame, and of the last one


@dataclass(frozen=True)
class Film:
    """Frames of one batch, a frame per step."""

    engine: Engine
    frames: list[Image.Image] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Remember how a step looks: latents after it, and the clean latents predicted before it."""
        level = torch.tensor(step.sigma_next)
        noisy = self.engine.look(step.x * shrink(level).to(step.x))  # of unit variance, as the decoder knows them
        self.frames.append(beside(grid(noisy), grid(self.engine.look(step.denoised))))

    def webp(self) -> bytes:
        """An endless animation that rests on its last frame; the same frames give the same bytes."""
        return animated(self.frames)


def animated(frames: Sequence[Image.Image], frame: int = FRAME, rest: int = REST) -> bytes:
    """An animated WebP file; times in milliseconds."""
    out = BytesIO()
    times = [frame] * (len(frames) - 1) + [rest]
    first, *following = (frame.resize(frames[-1].size) for frame in frames)  # a second pass is larger
    first.save(out, "WEBP", save_all=True, append_images=following, duration=times, loop=0, quality=85, method=4)
    return out.getvalue()


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures of one height next to each other."""
    paper = Image.new("RGB", (left.width + right.width, left.height), PAPER)
    paper.paste(left, (0, 0))
    paper.paste(right, (left.width, 0))
    return paper
