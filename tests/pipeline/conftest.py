"""What the tests of Stable Diffusion 3's ControlNets share."""

from pathlib import Path

import pytest
import torch

from inkwash.device import Compute
from inkwash.pipeline.engine import Engine
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model
from tools.checkpoints import Shelf
from tools.helpers import write_picture
from tools.joint_controls import KINDS, write_joint


@pytest.fixture(scope="module")
def joint_engine(shelf: Shelf) -> Engine:
    """With a tiny Stable Diffusion 3."""
    return Engine(open_model(ModelChoice(shelf("sd3", "folder"))), Compute(torch.device("cpu"), torch.float32))


@pytest.fixture(scope="module")
def joint_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ControlNets of every kind, and a picture `hint.png`."""
    place = tmp_path_factory.mktemp("joint")
    for kind in KINDS:
        write_joint(place / kind, kind)
    write_picture(place / "hint.png", (32, 32))
    return place
