"""`inkwash convert`: any checkpoint into safetensors, single files into folders and back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class ConvertOptions:
    """Read any container, write safetensors: a file, or a diffusers folder; prints where.

    Old .ckpt and .pt files are read in a process that can do nothing else, and nothing in them is run.
    """

    file: Annotated[Path, Positional]
    """.safetensors, .gguf, .ckpt, .pt, or a diffusers folder."""
    out: Annotated[Path, Positional]
    """A name that ends in .safetensors, or a folder."""
    dtype: Literal["keep", "float32", "float16", "bfloat16"] = "keep"
    """Type of the numbers that are floats; quantised ones become float32 if kept."""
    layout: Literal["keep", "ldm", "diffusers"] = "keep"
    """Names in a file that holds one network."""
    variant: str | None = None
    """Of a folder's files: fp16, ema …"""
    prediction: Literal["epsilon", "v_prediction", "sample", "edm", "flow"] | None = None
    """What the network was taught, where the file cannot tell."""
    strict: bool = False
    """Refuse a file that holds tensors nobody knows."""
    overwrite: bool = False
    """Replace what is there."""


def run(options: ConvertOptions) -> None:
    """Convert, and say what was left behind."""
    from inkwash.cli.easel import said
    from inkwash.weights.convert import Wishes, convert

    wishes = Wishes(
        options.dtype, options.layout, options.variant, options.prediction, options.strict, options.overwrite
    )
    done = convert(options.file, options.out, wishes)
    if done.left:
        said(f"left behind: {len(done.left)} tensors that nobody knows, {done.left[0]} first")
    if done.ignored:
        said(f"ignored in the pickle: {done.ignored}")
    print(done.path)  # noqa: T201
