"""`inkwash merge`: two models become one, or a third lends what it has learnt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from inkwash.errors import InvalidRequest


@dataclass(frozen=True)
class MergeOptions:
    """first*(1-weight) + second*weight; with --base first + weight*(second - base). Prints the file."""

    first: Annotated[Path, Positional]
    """A checkpoint: a file or a folder; all that is not mixed comes from here."""
    second: Annotated[Path, Positional]
    """Another of the same family."""
    out: Annotated[Path, Positional]
    """A name that ends in .safetensors."""
    base: Path | None = None
    """What the second was trained from: only the difference is added."""
    weight: float = 0.5
    """Of the second."""
    blocks: str = ""
    """Other weights for blocks: IN=0.2,IN04=0.5,MID=1,OUT=0.3,TEXT=0,VAE=0,BASE=0.5."""
    dtype: Literal["keep", "float32", "float16", "bfloat16"] = "keep"
    """Type of the numbers that are written."""
    overwrite: bool = False
    """Replace a file that is there."""


def run(options: MergeOptions) -> None:
    """Open, check that they fit, mix tensor by tensor."""
    if options.out.suffix.lower() != ".safetensors":
        raise InvalidRequest("out", str(options.out), "a name that ends in .safetensors")
    from inkwash.weights.containers.opening import open_source
    from inkwash.weights.containers.source import unscaled
    from inkwash.weights.containers.writing import write_source
    from inkwash.weights.merge import Blend, merged, read_blocks

    blend = Blend(options.weight, read_blocks(options.blocks))
    first, second = (unscaled(open_source(path)) for path in (options.first, options.second))
    base = None if options.base is None else unscaled(open_source(options.base))
    whole = merged(first, second, blend, base)
    notes = {key: value for key, value in first.metadata.items() if key.startswith("modelspec.")}
    write_source(options.out, whole, notes, options.dtype, overwrite=options.overwrite)
    print(options.out)  # noqa: T201
