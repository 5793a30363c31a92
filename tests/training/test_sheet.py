"""Sample sheets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from inkwash.training.config import TrainConfig
from inkwash.training.parts import Parts
from inkwash.training.sheet import save_sheet, sheet
from inkwash.types import TextStates


class Sees(nn.Module):
    """A flow network that knows the picture: a plane as light as the first word's first number."""

    def forward(self, x: Tensor, t: Tensor, text: TextStates) -> Tensor:
        s = (t / 1000)[:, None, None, None]
        clean = text.states[:, 1, 0].tanh()[:, None, None, None]
        return (x - clean) / s


def test_a_perfect_network_paints_what_the_words_say(config: TrainConfig, parts: Parts) -> None:
    config = replace(config, prompts=("red", "blue"))
    found = sheet(Sees(), parts.space, parts.words, config, (3, 8, 8))
    said = parts.words(config.prompts).states[:, 1, 0].tanh()
    none = parts.words([""]).states[:, 1, 0].tanh()
    wanted = none + 3.0 * (said - none)
    torch.testing.assert_close(found, wanted[:, None, None, None].expand_as(found), atol=1e-3, rtol=0)


def test_pictures_stand_side_by_side(tmp_path: Path) -> None:
    pixels = torch.linspace(-1.5, 1, 5)[:, None, None, None].expand(5, 3, 2, 2)
    save_sheet(pixels, tmp_path / "deep" / "sheet.png", columns=3)
    grid = np.asarray(Image.open(tmp_path / "deep" / "sheet.png"))
    assert grid.shape == (4, 6, 3)
    assert grid[::2, ::2, 0].tolist() == [[0, 16, 96], [175, 255, 255]]
