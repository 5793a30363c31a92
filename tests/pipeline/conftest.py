"""A photograph and a mask as large as the tiny model paints."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A mask that is white on the right."""
    hole = Image.new("L", (32, 32))
    hole.paste(255, (16, 0, 32, 32))
    hole.save(tmp_path / "half.png")
    return tmp_path / "half.png"
