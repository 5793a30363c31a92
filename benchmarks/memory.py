"""`python -m benchmarks.memory`: how much memory painting takes, with checkpoints as large as the released ones.

The weights are noise of half precision, written here in the shapes of Stable Diffusion 1.5 or XL; memory does not mind.
Each painting is a process of its own. Its peak is what the system reports when it has ended: the resident set, mapped
files included, although the system may take those pages back at any time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
import tyro

from benchmarks import machine
from benchmarks.report import Section, keep, page
from inkwash.ram import GIGA
from inkwash.weights.configs import configured
from inkwash.weights.containers.source import Slot, Source, joined
from inkwash.weights.containers.writing import write_source
from inkwash.weights.family import identified
from tools.checkpoints import CHECKPOINTS, TOLD, write_tokenizers
from tools.topology import Slots, clip, unets, vae

Model = Literal["tiny", "sd1", "sdxl"]
POOL = 2**20
"""Numbers of noise that all tensors are cut from."""


@dataclass(frozen=True)
class Options:
    """What to paint, and how."""

    models: tuple[Model, ...] = ("sd1",)
    """Of which size; sd1 needs 2, sdxl 7 gigabytes of disk."""
    size: int = 0
    """Side of the picture; 0: as the model likes it."""
    steps: int = 1
    keeping: tuple[Literal["file", "float32"], ...] = ("file",)
    """How weights are kept."""
    more: tuple[str, ...] = ()
    """Further words for `inkwash paint`."""
    place: Path | None = None
    """Where checkpoints are written, and deleted afterwards; None: the system's folder for such."""
    folder: Path | None = None
    """Where the result is kept; None: it is only printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one model after the other, and print a page of Markdown."""
    options = tyro.cli(Options, args=arguments, description=__doc__)
    before = machine.described()
    text = page(date.today().isoformat(), before, [measure(options)])
    print(text)
    if options.folder is not None:
        name = f"{date.today().isoformat()}-memory-{machine.slug()}.md"
        keep(text, options.folder / name)
    return 0


def measure(options: Options) -> Section:
    """A row for every model and every way to keep its weights."""
    rows = []
    for model in options.models:
        with TemporaryDirectory(dir=options.place) as name:
            folder = written(Path(name) / model, model)
            held = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
            for keeping in options.keeping:
                peak = painted(folder, keeping, options)
                side = f"{options.size} px" if options.size else "its own"
                rows.append((model, side, str(options.steps), keeping, gigabytes(held), gigabytes(peak)))
    return Section(
        "Memory of one painting",
        "Peak of the resident set of `inkwash paint`, one picture; gigabytes of 10⁹ bytes. "
        + (f"Further words: `{' '.join(options.more)}`." if options.more else ""),
        ("model", "size", "steps", "weights", "files", "peak"),
        tuple(rows),
    )


def painted(folder: Path, keeping: str, options: Options) -> int:
    """Bytes of the peak of a process that paints one picture.  Raises RuntimeError with its last line if it fails."""
    words = ["paint", "a cat", "--model", str(folder), "--steps", str(options.steps), "--seed", "0"]
    words += ["--device", "cpu", "--preview", "off", "--keeping", keeping, "--out", str(folder / "a.png")]
    words += ["--overwrite", *options.more]
    if options.size:
        words += ["--width", str(options.size), "--height", str(options.size)]
    program = "import sys; from inkwash.cli.main import main; sys.exit(main())"
    process = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"inkwash {' '.join(words)} ended with {process.returncode}")
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def gigabytes(count: int) -> str:
    """To a hundredth."""
    return f"{count / GIGA:.2f}"


def written(folder: Path, model: Model) -> Path:
    """A diffusers folder of noise in half precision, tensor by tensor: never much of it is in memory."""
    base: Literal["sd1", "sdxl"] = "sdxl" if model == "sdxl" else "sd1"
    parts = {name: noisy(slots) for name, slots in tables(model).items()}
    whole = joined(model, [named(name, part) for name, part in parts.items()])
    for name, part in parts.items():
        (folder / name).mkdir(parents=True)
        stem = "diffusion_pytorch_model" if name in ("unet", "vae") else "model"
        write_source(folder / name / f"{stem}.safetensors", part, {})
    for name, config in configured(identified(whole), parts, TOLD[base]).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(config))
    return write_tokenizers(folder, base)


def tables(model: Model) -> Mapping[str, Slots]:
    """Names and shapes of the parts."""
    match model:
        case "tiny":
            return CHECKPOINTS["sd1"]
        case "sd1":
            return {"unet": unets()["sd1"], "vae": vae(), "text_encoder": clip(768, 12)}
        case "sdxl":
            towers = {"text_encoder": clip(768, 12), "text_encoder_2": clip(1280, 32, 1280)}
            return {"unet": unets()["sdxl"], "vae": vae(), **towers}


def named(prefix: str, part: Source) -> Source:
    """The same tensors as those of a folder's part are called."""
    return part.renamed({f"{prefix}/{name}": name for name in part.slots})


def noisy(slots: Slots) -> Source:
    """Noise that networks keep within bounds, cut from one pool."""
    pool = torch.randn(POOL, generator=torch.Generator().manual_seed(0))

    def drawn(name: str) -> torch.Tensor:
        shape = slots[name]
        scale = 1 / prod(shape[1:]) ** 0.5 if len(shape) > 1 else 0.1
        middle = 1.0 if len(shape) == 1 and name.endswith("weight") else 0.0
        return torch.cat([(middle + scale * part).half() for part in pieces(pool, prod(shape))]).reshape(shape)

    return Source("noise", {name: Slot("F16", shape) for name, shape in slots.items()}, drawn)


def pieces(pool: torch.Tensor, count: int) -> Iterator[torch.Tensor]:
    """The pool again and again, until there are `count` numbers."""
    for begin in range(0, count, POOL):
        yield pool[: min(POOL, count - begin)]


if __name__ == "__main__":
    sys.exit(main())
