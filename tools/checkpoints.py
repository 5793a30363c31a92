"""Released checkpoints in small for tests: the parts and names of the real ones, words as wide, pictures narrower."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as Machine
from tokenizers import models

from inkwash.text.tokenizer import Tokenizer
from inkwash.weights.configs import configured
from inkwash.weights.containers.source import Source, in_memory
from inkwash.weights.containers.writing import write_source
from inkwash.weights.families import Prediction
from inkwash.weights.family import identified
from inkwash.weights.single import Base, together
from inkwash.weights.vocabularies import SUFFIX
from tools.gguf_writer import Entry, gguf
from tools.topology import SD, Net, Slots, clip, mmdit, vae

SPOKEN = Tokenizer.train(["a photo of a cat", "a photo of two dogs!"], 560, 77)
PIECES = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0), ("▁a", -1.0), ("▁cat", -2.0), ("s", -3.0)]
KNOWN = len(SPOKEN)
SHALLOW = ((0, 0, 1, 1, 1, 1), 1, (1, 1, 1, 1, 1, 1, 0, 0, 0))
"""Where SDXL's transformers stand; the real ones are up to ten deep."""
REFINING = ((0, 0, 1, 1, 1, 1, 0, 0), 1, (0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0))
"""The same of its refiner."""


def read_by_t5(width: int) -> Slots:
    """A T5 of one layer and one head."""
    block = "encoder.block.0.layer"
    found: Slots = {"shared.weight": (len(PIECES), width), "encoder.final_layer_norm.weight": (width,)}
    found |= {f"{block}.0.SelfAttention.{name}.weight": (64, width) for name in "qkv"}
    found |= {f"{block}.0.SelfAttention.o.weight": (width, 64), f"{block}.1.DenseReluDense.wo.weight": (width, 32)}
    found |= {f"{block}.{place}.layer_norm.weight": (width,) for place in (0, 1)}
    found |= {f"{block}.1.DenseReluDense.{name}.weight": (32, width) for name in ("wi_0", "wi_1")}
    return found | {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": (32, 1)}


SPACE = vae((32, 32), 4)
NARROW = (64, 64, 64, 64)
CHECKPOINTS: Mapping[Base, Mapping[str, Slots]] = {
    "sd1": {"unet": Net(NARROW, SD, 768, False).slots(), "vae": SPACE, "text_encoder": clip(768, 1, 0, KNOWN)},
    "sd2": {"unet": Net(NARROW, SD, 1024).slots(), "vae": SPACE, "text_encoder": clip(1024, 1, 0, KNOWN)},
    "sdxl": {
        "unet": Net(NARROW[:3], SHALLOW, 2048, added=2816).slots(),
        "vae": SPACE,
        "text_encoder": clip(768, 1, 0, KNOWN),
        "text_encoder_2": clip(1280, 1, 1280, KNOWN),
    },
    "refiner": {
        "unet": Net(NARROW, REFINING, 1280, added=2560).slots(),
        "vae": SPACE,
        "text_encoder_2": clip(1280, 1, 1280, KNOWN),
    },
    "sd3": {
        "transformer": mmdit(2, 16, words=4096),
        "vae": vae((32, 32), 16, quant=False),
        "text_encoder": clip(768, 1, 768, KNOWN),
        "text_encoder_2": clip(1280, 1, 1280, KNOWN),
        "text_encoder_3": read_by_t5(4096),
    },
}


def whispering(slots: Slots, seed: int) -> Source:
    """Noise small enough for half precision and for deep networks; norms near one; numbers half precision can hold."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
        noise = torch.randn(shape, generator=generator)
        scale = 1 / max(1, noise[0].numel()) ** 0.5 if len(shape) > 1 else 0.1
        middle = 1.0 if len(shape) == 1 and name.endswith("weight") else 0.0
        return (middle + scale * noise).half()

    return in_memory({name: drawn(name, shape) for name, shape in slots.items()})


def parts_of(base: Base) -> Mapping[str, Source]:
    """The parts of one checkpoint, their weights noise."""
    return {name: whispering(slots, seed) for seed, (name, slots) in enumerate(CHECKPOINTS[base].items())}


def write_folder(folder: Path, base: Base, told: Prediction, shards: int = 1, variant: str = "") -> Path:
    """As diffusers writes it, with its tokenizers; the network in so many shards."""
    parts = parts_of(base)
    whole = {f"{name}/{each}": part[each] for name, part in parts.items() for each in part.slots}
    configs = configured(identified(in_memory(whole)), parts, told)
    for name, part in parts.items():
        (folder / name).mkdir(parents=True)
        stem = "diffusion_pytorch_model" if name in ("unet", "transformer", "vae") else "model"
        network = name in ("unet", "transformer")
        sharded(folder / name, stem + (f".{variant}" if variant else ""), part, shards if network else 1)
    for name, config in configs.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(config))
    write_tokenizers(folder, base)
    return folder


def sharded(folder: Path, stem: str, part: Source, shards: int) -> None:
    """One file, or several with an index beside them."""
    names = sorted(part.slots)
    if shards == 1:
        write_source(folder / f"{stem}.safetensors", part, {})
        return
    home = {name: f"{stem}-{1 + n % shards:05}-of-{shards:05}.safetensors" for n, name in enumerate(names)}
    for file in set(home.values()):
        save_file({name: part[name] for name in names if home[name] == file}, folder / file)
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": home}))


def write_single(path: Path, base: Base) -> Path:
    """As the original code writes it: one file, no tokenizer."""
    write_source(path, together(parts_of(base), base), {})
    return path


def write_gguf(path: Path, base: Base) -> Path:
    """The same names in a GGUF file of half floats."""
    source = together(parts_of(base), base)
    entries: dict[str, Entry] = {name: ("F16", source.shape(name), source[name].numpy().tobytes()) for name in source}
    path.write_bytes(gguf(entries, {"general.architecture": base}))
    return path


def write_tokenizers(folder: Path, base: Base) -> Path:
    """tokenizer/, and where there are more readers tokenizer_2/ and tokenizer_3/."""
    model = json.loads(SPOKEN.machine.to_str())["model"]
    towers = [name for name in ("text_encoder", "text_encoder_2") if name in CHECKPOINTS[base]]
    for tower in towers:
        place = folder / tower.replace("text_encoder", "tokenizer")
        place.mkdir(parents=True)
        (place / "vocab.json").write_text(json.dumps(model["vocab"]))
        (place / "merges.txt").write_text("\n".join(" ".join(pair) for pair in model["merges"]) + "\n", "utf-8")
        zero = tower == "text_encoder_2" or base == "sd2"
        mark = SPOKEN.machine.id_to_token(0) if zero else "<|endoftext|>"
        (place / "special_tokens_map.json").write_text(json.dumps({"pad_token": mark}))
    if "text_encoder_3" in CHECKPOINTS[base]:
        (folder / "tokenizer_3").mkdir()
        Machine(models.Unigram(PIECES, 2)).save(str(folder / "tokenizer_3/tokenizer.json"))
    return folder


TOLD: Mapping[Base, Prediction] = {
    "sd1": "epsilon", "sd2": "v_prediction", "sdxl": "epsilon", "refiner": "epsilon", "sd3": "flow",
}  # fmt: skip
Form = Literal["folder", "sharded", "single", "gguf"]


class Shelf:
    """Checkpoints in every form, written when they are first wanted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._there: dict[tuple[Base, Form], Path] = {}

    def __call__(self, base: Base, form: Form) -> Path:
        """The path of one; beside a file lies a folder with its tokenizers."""
        if (base, form) not in self._there:
            self._there[base, form] = self._written(base, form)
        return self._there[base, form]

    def _written(self, base: Base, form: Form) -> Path:
        path = self.root / f"{base}-{form}"
        if form in ("folder", "sharded"):
            return write_folder(path, base, TOLD[base], shards=2 if form == "sharded" else 1)
        suffix = ".gguf" if form == "gguf" else ".safetensors"
        file = path.with_suffix(suffix)
        (write_gguf if form == "gguf" else write_single)(file, base)
        write_tokenizers(file.with_name(file.name + SUFFIX), base)
        return file
