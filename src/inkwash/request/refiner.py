"""Options of the refiner: a second model that paints the last part of the way."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.request.limits import one_path, real, text
from inkwash.weights.choice import ModelChoice


@dataclass(frozen=True, kw_only=True)
class Refiner:
    """Who goes on with the latents, and from where."""

    model: str = ""
    """A checkpoint whose latents are those of the model; none if empty."""
    switch_at: float = 0.8
    """The share of the way, in steps t of training, after which it goes on."""
    base: Path | None = None
    """A checkpoint that lends the parts this one lacks."""
    tokenizer: Path | None = None
    """A folder with its tokenizer."""
    sha256: str = ""
    """Of its network's file: filled in when it paints, and compared when it paints again."""

    def __post_init__(self) -> None:
        text("refiner.model", self.model)
        text("refiner.sha256", self.sha256)
        real("refiner.switch_at", self.switch_at, 0.0, 1.0)
        for name in ("base", "tokenizer"):
            if getattr(self, name) is not None:
                one_path(f"refiner.{name}", getattr(self, name))
        if not 0 < self.switch_at < 1:
            raise InvalidRequest("refiner.switch_at", self.switch_at, "between 0 and 1")

    @property
    def choice(self) -> ModelChoice:
        """The second model."""
        return ModelChoice(self.model, base=self.base, tokenizer=self.tokenizer)
