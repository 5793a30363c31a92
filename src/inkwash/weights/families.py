"""Every released family as a row: how its network is told from its shape, and what cannot be told but is usual."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Prediction = Literal["epsilon", "v_prediction", "sample", "edm", "flow"]
Distilled = Literal["none", "turbo", "lightning", "hyper", "lcm"]
"""How a model came to need few steps."""


@dataclass(frozen=True)
class Family:
    """Facts about a family that its files do not hold."""

    title: str
    size: int
    """Side of the pictures it was taught, in pixels."""
    scale: float
    """Latents are divided by this less than 1 after encoding: z = (z_enc - shift) * scale."""
    prediction: Prediction = "epsilon"
    shift: float = 0.0
    encoders: tuple[str, ...] = ("CLIP-L",)
    """The text encoders it listens to."""
    modelspec: str = ""
    """What the ModelSpec standard calls it."""


SDXL_WORDS = ("CLIP-L", "OpenCLIP-bigG")
SD3_WORDS = ("CLIP-L", "OpenCLIP-bigG", "T5-XXL (may be left out)")
FAMILIES: Mapping[str, Family] = {
    "sd1": Family("Stable Diffusion 1", 512, 0.18215, modelspec="stable-diffusion-v1"),
    "bk-sdm-base": Family("BK-SDM base, a smaller Stable Diffusion 1", 512, 0.18215),
    "bk-sdm-small": Family("BK-SDM small, a smaller Stable Diffusion 1", 512, 0.18215),
    "bk-sdm-tiny": Family("BK-SDM tiny, a smaller Stable Diffusion 1", 512, 0.18215),
    "sd2": Family(
        "Stable Diffusion 2", 768, 0.18215, encoders=("OpenCLIP-H",), modelspec="stable-diffusion-v2-768-v"
    ),
    "sd2-unclip-l": Family(
        "Stable Diffusion 2.1 unCLIP-L", 768, 0.18215, "v_prediction", encoders=("OpenCLIP-H", "CLIP-L vision"),
        modelspec="stable-diffusion-v2-unclip-l",
    ),
    "sd2-unclip-h": Family(
        "Stable Diffusion 2.1 unCLIP-H", 768, 0.18215, "v_prediction", encoders=("OpenCLIP-H", "OpenCLIP-H vision"),
        modelspec="stable-diffusion-v2-unclip-h",
    ),
    "x4-upscaler": Family("Stable Diffusion x4 upscaler", 512, 0.08333, "v_prediction", encoders=("OpenCLIP-H",)),
    "sdxl": Family("Stable Diffusion XL", 1024, 0.13025, encoders=SDXL_WORDS, modelspec="stable-diffusion-xl-v1-base"),
    "sdxl-refiner": Family(
        "Stable Diffusion XL refiner", 1024, 0.13025, encoders=("OpenCLIP-bigG",),
        modelspec="stable-diffusion-xl-v1-refiner",
    ),
    "ssd-1b": Family("SSD-1B, a smaller Stable Diffusion XL", 1024, 0.13025, encoders=SDXL_WORDS),
    "vega": Family("Segmind Vega, a smaller Stable Diffusion XL", 1024, 0.13025, encoders=SDXL_WORDS),
    "koala-700m": Family("KOALA 700M, a smaller Stable Diffusion XL", 1024, 0.13025, encoders=SDXL_WORDS),
    "koala-1b": Family("KOALA 1B, a smaller Stable Diffusion XL", 1024, 0.13025, encoders=SDXL_WORDS),
    "sdxl-cousin": Family("an unknown relative of Stable Diffusion XL", 1024, 0.13025, encoders=SDXL_WORDS),
    "sd1-cousin": Family("an unknown relative of Stable Diffusion 1", 512, 0.18215),
    "sd2-cousin": Family("an unknown relative of Stable Diffusion 2", 512, 0.18215, encoders=("OpenCLIP-H",)),
    "sd3-medium": Family(
        "Stable Diffusion 3 medium", 1024, 1.5305, "flow", 0.0609, SD3_WORDS, "stable-diffusion-v3-medium"
    ),
    "sd3.5-medium": Family("Stable Diffusion 3.5 medium", 1024, 1.5305, "flow", 0.0609, SD3_WORDS),
    "sd3.5-large": Family("Stable Diffusion 3.5 large", 1024, 1.5305, "flow", 0.0609, SD3_WORDS),
    "sd3-cousin": Family("an unknown relative of Stable Diffusion 3", 1024, 1.5305, "flow", 0.0609, SD3_WORDS),
}  # fmt: skip
TASKS: Mapping[int, str] = {4: "paint", 5: "depth", 7: "upscale", 8: "edit", 9: "inpaint"}
"""What a U-Net does with so many channels in: beyond the four of the latents a depth map, a small picture, a picture to
change, or a mask and a picture with a hole."""
Depths = tuple[tuple[int, ...], int, tuple[int, ...]]
"""Depth of the transformers at every site: the way down, the middle, the way up. -1: no attention in the middle; -2: no
middle."""
SD_DEPTHS: Depths = ((1, 1, 1, 1, 1, 1, 0, 0), 1, (0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1))
UNETS: Mapping[tuple[int, Depths], str] = {
    (768, SD_DEPTHS): "sd1",
    (768, ((1, 1, 1, 0), 1, (0, 0, 1, 1, 1, 1, 1, 1))): "bk-sdm-base",
    (768, ((1, 1, 1, 0), -2, (0, 0, 1, 1, 1, 1, 1, 1))): "bk-sdm-small",
    (768, ((1, 1, 1), -2, (1, 1, 1, 1, 1, 1))): "bk-sdm-tiny",
    (1024, SD_DEPTHS): "sd2",
    (1024, ((0, 0, 1, 1, 1, 1, 1, 1), 1, (1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0))): "x4-upscaler",
    (2048, ((0, 0, 2, 2, 10, 10), 10, (10, 10, 10, 2, 2, 2, 0, 0, 0))): "sdxl",
    (2048, ((0, 0, 2, 2, 4, 4), -1, (4, 4, 10, 2, 1, 1, 0, 0, 0))): "ssd-1b",
    (2048, ((0, 0, 1, 1, 2, 2), -1, (2, 2, 2, 1, 1, 1, 0, 0, 0))): "vega",
    (2048, ((0, 2, 5), -2, (5, 5, 2, 2, 0, 0))): "koala-700m",
    (2048, ((0, 2, 6), 6, (6, 6, 2, 2, 0, 0))): "koala-1b",
    (1280, ((0, 0, 4, 4, 4, 4, 0, 0), 4, (0, 0, 0, 4, 4, 4, 4, 4, 4, 0, 0, 0))): "sdxl-refiner",
}
"""A U-Net by the width of the words it looks at and its depths."""
MMDITS: Mapping[tuple[int, bool, bool], str] = {
    (24, False, False): "sd3-medium",
    (24, True, True): "sd3.5-medium",
    (38, True, False): "sd3.5-large",
}
"""A transformer by its blocks, whether it norms queries and keys, and whether it looks at the picture twice."""
COUSINS: Mapping[int, str] = {768: "sd1-cousin", 1024: "sd2-cousin", 2048: "sdxl-cousin"}
