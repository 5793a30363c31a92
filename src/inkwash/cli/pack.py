"""`inkwash pack`: three trained parts become a model that paints."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PackOptions:
    """Put a predictor, an autoencoder and a text encoder into one folder, in half precision; prints the folder."""

    predictor: Path
    """The predictor.safetensors that a training wrote."""
    text: Path
    """A folder with a text encoder."""
    out: Path
    """The folder to write; what it is called is the model's name, too."""
    autoencoder: Path | None = None
    """The autoencoder.safetensors that the predictor was trained on; without it the predictor paints pixels."""
    size: int = 128
    """Side of the pictures, in pixels, where a request does not say; so are all that follow."""
    steps: int = 25
    """Of the sampler."""
    sampler: str = "dpmpp_2m"
    """Which way back."""
    spacing: str = "uniform"
    """Of the noise levels."""
    guidance: float = 3.0
    """How strongly the prompt pulls."""
    guidance_from: float = 0.0
    """Guidance acts at noise levels sigma from here ..."""
    guidance_until: float = 1e4
    """... up to here."""
    negative_prompt: str = ""
    """What pictures are pulled away from."""
    overwrite: bool = False
    """Replace a model that is there."""


def run(options: PackOptions) -> None:
    """Read, check, write."""
    from inkwash.weights.bundle import save_bundle
    from inkwash.weights.manifest import Defaults
    from inkwash.weights.pack import pack

    defaults = Defaults(
        width=options.size,
        height=options.size,
        steps=options.steps,
        sampler=options.sampler,
        spacing=options.spacing,
        guidance=options.guidance,
        guidance_from=options.guidance_from,
        guidance_until=options.guidance_until,
        negative_prompt=options.negative_prompt,
    )
    name = options.out.resolve().name
    bundle = pack(name, options.predictor, options.autoencoder, options.text, defaults)
    save_bundle(options.out, bundle, overwrite=options.overwrite)
    print(options.out)  # noqa: T201
