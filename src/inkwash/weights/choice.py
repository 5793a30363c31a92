"""Which model is meant, and what of it is replaced: everything that decides what is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inkwash.weights.families import Distilled, Prediction

Keeping = Literal["auto", "float32", "file"]
"""How weights are kept in memory: widened to float32 once, or in the type of their file and widened by every layer as
it is used; auto: widened if there is room for it. Pictures are the same, bit for bit."""
CHOSEN = ("variant", "prediction", "vae", "tokenizer", "base", "distilled")
"""What may be said beside the model itself."""


@dataclass(frozen=True)
class ModelChoice:
    """A model by name or path, and the user's say where a file is silent or lacks something."""

    model: str | Path
    variant: str | None = None
    """Which weights of a diffusers folder: fp16, ema …; None: the plain ones first."""
    prediction: Prediction | None = None
    """What the network was taught to tell; None: who is believed is told in prediction.py."""
    vae: Path | None = None
    """Another autoencoder, large or tiny: a file, or the folder of one."""
    tokenizer: Path | None = None
    """The folder of a tokenizer, or one that holds tokenizer/, tokenizer_2/ …"""
    base: Path | None = None
    """A checkpoint that lends the parts this one lacks."""
    lora: tuple[str, ...] = ()
    """Adapters, each FILE or FILE:STRENGTH, in the order in which they are added."""
    distilled: Distilled | None = None
    """Whether it was taught to need few steps; None: who is believed is told in distilled.py."""

    @property
    def changes(self) -> dict[str, object]:
        """What the user has said beside the model itself."""
        said = {name: getattr(self, name) for name in CHOSEN}
        return {name: value for name, value in said.items() if value is not None}
