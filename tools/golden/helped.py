"""helped.json: what diffusers paints with controls, T2I-Adapters and IP-Adapters on the small checkpoints of tests.

python -m tools.golden.helped OUT.json   (needs diffusers and transformers)

Words come from our own text encoders, and latents begin where ours begin: what is compared is the steering.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import diffusers
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from inkwash.rng import NoiseSource
from inkwash.text.towers import TwoReaders
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model
from inkwash.weights.single import Base
from tools.checkpoints import NARROW, Shelf
from tools.helpers import TOWER, write_control, write_ip_adapter, write_picture, write_t2i, write_tower

STEPS, GUIDANCE, SIDE, SEED = 4, 5.0, 16, 3
ROOT = Path(mkdtemp())
SHELF = Shelf(ROOT)
Given = dict[str, Any]


class Rival:
    """A small checkpoint in diffusers."""

    def __init__(self, base: Base) -> None:
        self.base, self.large, folder = base, base == "sdxl", SHELF(base, "folder")
        self.config = json.loads((folder / "unet/config.json").read_text())
        self.unet = diffusers.UNet2DConditionModel.from_config(self.config).eval()
        weights = load_file(folder / "unet/diffusion_pytorch_model.safetensors")
        self.unet.load_state_dict({name: weight.float() for name, weight in weights.items()})
        told = json.loads((folder / "scheduler/scheduler_config.json").read_text())
        self.scheduler = getattr(diffusers, told["_class_name"]).from_config(told)
        self.words = words(base, folder)

    def control(self, seed: int) -> Any:
        """One of our ControlNets in diffusers."""
        network = diffusers.ControlNetModel.from_unet(self.unet, load_weights_from_unet=False).eval()
        weights = load_file(write_control(ROOT / f"{self.base}-{seed}.safetensors", self.base, seed))
        network.load_state_dict({name: weight.float() for name, weight in weights.items()})
        return network

    def painted(self, kind: str, parts: Given, call: Given) -> Tensor:
        """The last latents of a pipeline."""
        before = (None,) * (5 if self.large else 3)
        towers = (
            {} if self.large else {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        )
        names = ["vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"]
        if not self.large:
            names = ["vae", "text_encoder", "tokenizer"]
        whole = {**dict(zip(names, before, strict=True)), **towers, "unet": self.unet, "scheduler": self.scheduler}
        pipe = getattr(diffusers, f"StableDiffusion{'XL' if self.large else ''}{kind}Pipeline")(**{**whole, **parts})
        pipe.set_progress_bar_config(disable=True)
        if "image_encoder" in parts:
            pipe.set_ip_adapter_scale(0.6)
        self.scheduler.set_timesteps(STEPS)
        noise = NoiseSource.seeded([SEED]).draw((4, SIDE, SIDE))
        begin = noise * self.scheduler.sigmas[0] / self.scheduler.init_noise_sigma
        size = {"height": 8 * SIDE, "width": 8 * SIDE, "num_inference_steps": STEPS, "guidance_scale": GUIDANCE}
        with torch.no_grad():
            latents: Tensor = pipe(latents=begin, output_type="latent", **size, **self.words, **call).images
        return latents


def words(base: Base, folder: Path) -> Given:
    """What is wanted and unwanted, by our own readers."""
    reader = open_model(ModelChoice(folder)).text
    wanted, unwanted = reader(["a photo of a cat"]), reader(["dogs"])
    found: Given = {"prompt_embeds": wanted.states, "negative_prompt_embeds": unwanted.states}
    if isinstance(reader, TwoReaders):
        found |= {"pooled_prompt_embeds": wanted.pooled, "negative_pooled_prompt_embeds": unwanted.pooled}
        found |= {"original_size": (32, 32), "target_size": (32, 32), "crops_coords_top_left": (0, 0)}
    return found


def controlled(rival: Rival, hint: Image.Image) -> dict[str, Tensor]:
    """By one ControlNet, by two, and in guess mode; by a T2I-Adapter."""
    one, two = rival.control(11), rival.control(12)
    first = {"image": hint, "controlnet_conditioning_scale": 0.8}
    parts = {"control_guidance_start": [0.0, 0.25], "control_guidance_end": [0.5, 1.0]}
    both = {"image": [hint, hint], "controlnet_conditioning_scale": [0.8, 0.3], **parts}
    torch.manual_seed(0)
    adapter = diffusers.T2IAdapter(
        3, list(NARROW), 2, 16 if rival.large else 8, "full_adapter_xl" if rival.large else "full_adapter"
    ).eval()
    adapter.load_state_dict(load_file(write_t2i(ROOT / f"{rival.base}-t2i.safetensors", rival.base)))
    told = {"image": hint, "adapter_conditioning_scale": 0.7}
    told |= {"adapter_conditioning_factor": 0.75} if rival.large else {}  # the smaller pipeline does not know it
    return {
        "one": rival.painted("ControlNet", {"controlnet": one}, first),
        "two": rival.painted("ControlNet", {"controlnet": [one, two]}, both),
        "guess": rival.painted("ControlNet", {"controlnet": one}, {**first, "guess_mode": True}),
        "t2i": rival.painted("Adapter", {"adapter": adapter}, told),
    }


def seeing(base: Base, pictures: Sequence[Image.Image]) -> dict[str, Tensor]:
    """By IP-Adapters, each with two pictures."""
    config = CLIPVisionConfig(
        hidden_size=TOWER.width, intermediate_size=TOWER.inner, num_hidden_layers=TOWER.layers, hidden_act="gelu",
        num_attention_heads=TOWER.heads, image_size=TOWER.size, patch_size=TOWER.patch, projection_dim=TOWER.projection,
    )  # fmt: skip
    tower: Any = CLIPVisionModelWithProjection(config)
    tower.eval()
    tower.load_state_dict(load_file(write_tower(ROOT / f"{base}-tower.safetensors")))
    cut = {"height": TOWER.size, "width": TOWER.size}
    cutter = CLIPImageProcessor(size={"shortest_edge": TOWER.size}, crop_size=cut)
    found = {}
    for kind in ("plain", "plus"):
        rival = Rival(base)
        weights = load_file(write_ip_adapter(ROOT / f"{base}-{kind}.safetensors", base, kind))
        sides = {side: {name[len(side) + 1 :]: weight for name, weight in weights.items() if name.startswith(side)}
                 for side in ("image_proj", "ip_adapter")}  # fmt: skip
        rival.unet._load_ip_adapter_weights([sides])
        parts = {"image_encoder": tower, "feature_extractor": cutter}
        found[kind] = rival.painted("", parts, {"ip_adapter_image": [list(pictures)]})
    return found


def kept(found: Tensor) -> Given:
    """Enough of latents to know them by."""
    flat = found.double().flatten()
    ends = {"head": flat[:24].tolist(), "tail": flat[-24:].tolist()}
    return {**ends, "std": flat.std().item(), "sum_abs": flat.abs().sum().item()}


def main(out: Path) -> None:
    """Paint, and write the numbers."""
    hint = Image.open(write_picture(ROOT / "hint.png", (128, 128)))
    sizes = ((50, 40), (50, 60))
    pictures = [Image.open(write_picture(ROOT / f"{n}.png", size, n)) for n, size in enumerate(sizes, 1)]
    table: dict[str, Given] = {}
    bases: tuple[Base, ...] = ("sd1", "sdxl")
    for base in bases:
        found = controlled(Rival(base), hint) | seeing(base, pictures)
        table |= {f"{base}.{name}": kept(each) for name, each in found.items()}
    out.write_text(json.dumps(table) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
