"""Where adapters and learned words lie that prompts call by name."""

from dataclasses import dataclass
from pathlib import Path

from inkwash.request.limits import one_path


@dataclass(frozen=True, kw_only=True)
class Library:
    """Folders to look in.  Raises InvalidRequest, naming field, value and what is wanted."""

    lora_dir: Path | None = None
    """Of the files that <lora:name:0.8> means, with the folders in it; the model's own folder is looked in, too."""
    embeddings: Path | None = None
    """Of learned words (textual inversion): a file's name is its word."""

    def __post_init__(self) -> None:
        for name in ("lora_dir", "embeddings"):
            if getattr(self, name) is not None:
                one_path(name, getattr(self, name))


NOWHERE = Library()
"""Nothing is called by name but what lies beside the model."""
