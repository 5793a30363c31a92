"""Loss by noise level as a picture."""

from pathlib import Path

import numpy as np
from PIL import Image

from inkwash.cli.noise_plot import draw_noise_plot
from inkwash.training.log import Log


def test_examinations_become_curves(tmp_path: Path) -> None:
    with Log(tmp_path / "log.jsonl", 0) as log:
        for images in range(1000, 9000, 1000):
            log.write(images, "step", {"loss": 1.0})
            log.write(images, "validation", {"loss": 1.0, "bins": [1.0 + 2 / images * k for k in range(10)]})
    draw_noise_plot(tmp_path / "log.jsonl", tmp_path / "plot.png")
    paper = np.asarray(Image.open(tmp_path / "plot.png").convert("L"))
    assert (paper < 100).sum() > 500


def test_without_examinations_nothing_is_drawn(tmp_path: Path) -> None:
    draw_noise_plot(tmp_path / "log.jsonl", tmp_path / "plot.png")
    assert not (tmp_path / "plot.png").exists()
