"""Helping networks in small for tests, as their makers write them: controls, IP-Adapters, LoRAs, learned words."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inkwash.predictor.ip_adapter import IPAdapter
from inkwash.predictor.picture_tokens import IPAdapterSpec
from inkwash.predictor.t2i_adapter import FULL, FULL_XL, LIGHT, AdapterSpec, T2IAdapter
from inkwash.text.vision import VisionEncoder, VisionSpec
from inkwash.weights.containers.source import Source, in_memory
from inkwash.weights.containers.writing import write_source
from inkwash.weights.names import unet
from inkwash.weights.single import Base
from tools.checkpoints import NARROW, SHALLOW, whispering
from tools.topology import SD, Net, union

CONTROLS: Mapping[Base, Net] = {
    "sd1": Net(NARROW, SD, 768, False, up=False),
    "sd2": Net(NARROW, SD, 1024, up=False),
    "sdxl": Net(NARROW[:3], SHALLOW, 2048, added=2816, up=False),
}
ADAPTERS: Mapping[str, AdapterSpec] = {
    name: AdapterSpec(spec.kind, NARROW, spec.halved, spec.blocks, spec.patch)
    for name, spec in {"sd1": FULL, "sdxl": FULL_XL, "light": LIGHT}.items()
}
TOWER = VisionSpec(64, 3, 16, 96, projection=40, size=28)
SEED = 11


def write_control(path: Path, base: Base, seed: int = SEED) -> Path:
    """A ControlNet under the names of a diffusers folder, in one file."""
    write_source(path, whispering(CONTROLS[base].slots(), seed), {})
    return path


def write_union(path: Path, kinds: int = 6, seed: int = SEED) -> Path:
    """A union ControlNet of SDXL under the names of the released files."""
    write_source(path, whispering(CONTROLS["sdxl"].slots() | union(NARROW[0], kinds), seed), {})
    return path


def low_rank(control: Source, base: Mapping[str, Tensor], rank: int = 10_000) -> dict[str, Tensor]:
    """A ControlNet less its U-Net as a control-LoRA in the original names: the nearest of that rank."""
    found = {"lora_controlnet": torch.empty(0)}
    for old, recipe in unet.to_ldm(list(control.slots)).items():
        (name,) = recipe.olds
        weight = control[name].float()
        if name.startswith("controlnet") or weight.ndim < 2:
            found[old] = weight
            continue
        left, sizes, right = torch.linalg.svd((weight - base[name]).flatten(1), full_matrices=False)
        few, stem = min(rank, len(sizes)), old.removesuffix(".weight")
        found[f"{stem}.up"] = (left * sizes)[:, :few].reshape(-1, few, *(1 for _ in weight.shape[2:])).contiguous()
        found[f"{stem}.down"] = right[:few].reshape(few, *weight.shape[1:]).contiguous()
    return found


def write_t2i(path: Path, kind: str, seed: int = SEED) -> Path:
    """A T2I-Adapter under the names of a diffusers folder, in one file."""
    torch.manual_seed(seed)
    write_source(path, in_memory(T2IAdapter(ADAPTERS[kind]).state_dict()), {})
    return path


def write_ip_adapter(path: Path, base: Base, kind: str, seed: int = SEED) -> Path:
    """An IP-Adapter, plain or plus."""
    looks = {"sd1": 16, "sdxl": 11}[base]
    width, rows = {"plain": (40, 4), "plus": (64, 16)}[kind]
    words = {"sd1": 768, "sdxl": 2048}[base]
    torch.manual_seed(seed)
    spec = IPAdapterSpec((64,) * looks, words, width, kind, rows, 128, 4)  # type: ignore[arg-type]
    write_source(path, in_memory(IPAdapter(spec).state_dict()), {})
    return path


def write_tower(path: Path, seed: int = SEED) -> Path:
    """A vision tower in one file."""
    torch.manual_seed(seed)
    write_source(path, in_memory(VisionEncoder(TOWER).state_dict()), {})
    return path


def write_picture(path: Path, size: tuple[int, int], seed: int = 0) -> Path:
    """Noise."""
    numbers = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(numbers).save(path)
    return path


LOOK = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
READ = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"


def lora(seed: int = SEED, rank: int = 2, size: float = 0.5) -> dict[str, Tensor]:
    """A LoRA of the small Stable Diffusion 1, in kohya's naming: one place of the U-Net, one of the text encoder."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for stem, out, width in ((LOOK, 64, 768), (READ, 768, 768)):
        found[f"{stem}.lora_up.weight"] = size * torch.randn(out, rank, generator=generator)
        found[f"{stem}.lora_down.weight"] = size * torch.randn(rank, width, generator=generator)
        found[f"{stem}.alpha"] = torch.tensor(float(rank))
    return found


def write_lora(path: Path, seed: int = SEED, rank: int = 2) -> Path:
    """One in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_source(path, in_memory(lora(seed, rank)), {"ss_network_dim": str(rank)})
    return path


def write_word(path: Path, widths: Mapping[str, int], seed: int = SEED) -> Path:
    """A learned word of two vectors, under the names that SDXL's files have, or the web UI's where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    vectors = {name: torch.randn(2, width, generator=generator) for name, width in widths.items()}
    write_source(path, in_memory(vectors), {})
    return path
