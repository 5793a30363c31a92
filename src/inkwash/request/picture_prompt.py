"""Pictures as prompts: an IP-Adapter, what it looks at, and how strongly."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.request.limits import one_path, real

MOST_PICTURES = 16


@dataclass(frozen=True, kw_only=True)
class PicturePrompt:
    """One IP-Adapter of a request.  Raises InvalidRequest, naming field, value and what is wanted."""

    model: Path
    """An IP-Adapter (plain, plus or full) as a safetensors file."""
    images: tuple[Path, ...]
    """What to paint in the manner of."""
    weight: float = 1.0
    """How strongly."""
    encoder: Path | None = None
    """CLIP's vision tower: a folder or a safetensors file. None: image_encoder/ beside the adapter."""
    begin: float = 0.0
    """From which part of the steps ..."""
    end: float = 1.0
    """... to which."""

    def __post_init__(self) -> None:
        one_path("ip_adapter.model", self.model)
        if not 1 <= len(self.images) <= MOST_PICTURES:
            raise InvalidRequest("ip_adapter.images", self.images, f"1 to {MOST_PICTURES} pictures")
        for image in self.images:
            one_path("ip_adapter.images", image)
        if self.encoder is not None:
            one_path("ip_adapter.encoder", self.encoder)
        real("ip_adapter.weight", self.weight, 0.0, 10.0)
        real("ip_adapter.begin", self.begin, 0.0, 1.0)
        real("ip_adapter.end", self.end, self.begin, 1.0)

    @property
    def tower(self) -> Path:
        """Where the vision tower lies."""
        return self.encoder or self.model.parent / "image_encoder"
