"""`inkwash lora`: adapters baked into a checkpoint, taken out of one, made smaller."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional, subcommand

from inkwash.errors import InvalidRequest

Precision = Literal["keep", "float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class Bake:
    """Put adapters into a checkpoint for good: MODEL LORA[:STRENGTH] … OUT. Prints the file."""

    files: Annotated[tuple[str, ...], Positional]
    """The checkpoint, one adapter or several as FILE or FILE:STRENGTH, and a name that ends in .safetensors."""
    dtype: Precision = "keep"
    """Type of the numbers that are written."""
    overwrite: bool = False
    """Replace a file that is there."""


@dataclass(frozen=True)
class Extract:
    """What a training has changed, as a LoRA in kohya's naming, of Stable Diffusion 3 in PEFT's. Prints the file."""

    tuned: Annotated[Path, Positional]
    """The checkpoint that was trained."""
    base: Annotated[Path, Positional]
    """The one that it was trained from."""
    out: Annotated[Path, Positional]
    """A name that ends in .safetensors."""
    rank: int = 32
    """Of every matrix: more is nearer, and larger."""
    dtype: Precision = "float16"
    """Type of the numbers that are written."""
    overwrite: bool = False
    """Replace a file that is there."""


@dataclass(frozen=True)
class Resize:
    """A LoRA of a smaller rank, as near as that allows. Prints the file."""

    file: Annotated[Path, Positional]
    """A LoRA in kohya's or PEFT's naming."""
    out: Annotated[Path, Positional]
    """A name that ends in .safetensors."""
    rank: int = 16
    """At most."""
    dtype: Precision = "keep"
    """Type of the numbers that are written."""
    overwrite: bool = False
    """Replace a file that is there."""


@dataclass(frozen=True)
class LoraOptions:
    """Adapters as files."""

    act: OmitSubcommandPrefixes[
        Annotated[Bake, subcommand("bake")]
        | Annotated[Extract, subcommand("extract")]
        | Annotated[Resize, subcommand("resize")]
    ]


def run(options: LoraOptions) -> None:
    """Read, compute, write."""
    act = options.act
    if isinstance(act, Bake) and len(act.files) < 3:
        raise InvalidRequest("files", " ".join(act.files), "a checkpoint, adapters, and the file to write")
    out = Path(act.files[-1]) if isinstance(act, Bake) else act.out
    if out.suffix.lower() != ".safetensors":
        raise InvalidRequest("out", str(out), "a name that ends in .safetensors")

    from inkwash.weights.adapted import parted
    from inkwash.weights.containers.source import in_memory
    from inkwash.weights.containers.writing import write_source
    from inkwash.weights.lora_files import baked, resized, taken

    if isinstance(act, Bake):
        model, *adapters = act.files[:-1]
        whole = baked(Path(model), [parted(said) for said in adapters])
        notes = {key: value for key, value in whole.metadata.items() if key.startswith("modelspec.")}
    else:
        tensors, notes = (
            taken(act.tuned, act.base, act.rank) if isinstance(act, Extract) else resized(act.file, act.rank)
        )
        whole = in_memory(tensors)
    write_source(out, whole, notes, act.dtype, overwrite=act.overwrite)
    print(out)  # noqa: T201
