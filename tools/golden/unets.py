"""models.json, the convolutional half: U-Nets, ControlNets, T2I-Adapters and autoencoders.

Networks are as deep as the released ones but narrow; those of `REAL.` are the released ones.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from inkwash.latent import spec as spaces
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.latent.tiny_autoencoder import TAESD, TAESD3, TinyAutoencoder, TinyAutoencoderSpec
from inkwash.predictor.controlnet import Control, ControlNet
from inkwash.predictor.spec import SD15, SD21, Stage, UNetSpec
from inkwash.predictor.t2i_adapter import FULL, FULL_XL, LIGHT, AdapterSpec, T2IAdapter
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates
from tools.golden import Case, Verdict
from tools.golden.filling import bare, filled, given, goldens, judged, whole

Answer = tuple[nn.Module, Tensor]
"""A filled network, and what it said."""
FAMILIES = ("unet", "vae", "taesd", "taesd3", "controlnet", "t2i")

SD = (Stage(32, 1), Stage(64, 1), Stage(128, 1), Stage(128))
SD1 = UNetSpec(SD, text_width=48, heads=4)
SD2 = UNetSpec(SD, text_width=64, head_width=16, linear_projection=True)
XL = replace(
    SD2,
    stages=(Stage(32), Stage(64, 2), Stage(128, 10)),
    mid_depth=10,
    pooled_width=40,
    size_numbers=6,
    size_width=16,
)
REFINER = replace(
    XL, stages=(Stage(32), Stage(64, 4), Stage(128, 4), Stage(128)), text_width=48, mid_depth=4, size_numbers=5
)
X4 = UNetSpec(
    (Stage(32), Stage(64, 1, only_words=True), Stage(64, 1, only_words=True), Stage(128, 1)),
    text_width=64,
    channels_in=7,
    heads=4,
    linear_projection=True,
    labels=1000,
)
SIZES = {
    6: [[1024.0, 1024, 0, 0, 1024, 1024], [832, 1216, 16, 8, 1024, 960]],
    5: [[1024.0, 1024, 0, 0, 6.0], [832, 1216, 16, 8, 2.5]],
}
VAE = AutoencoderSpec(channels=(32, 64, 128, 128), latent_std=(1.0,))
VAE_X4 = replace(VAE, channels=(32, 64, 128), encoder_blocks=(2, 2, 2), decoder_blocks=(3, 3, 3))
VAE_SD3 = replace(VAE, latent_channels=16, quant_convs=False)
NARROW = (32, 64, 128, 128)


def cases(folder: Path) -> Iterator[Case]:
    """Every case of this half that the folder has."""
    for name in goldens(folder):
        if name.removeprefix("REAL.").split(".")[0] in FAMILIES:
            yield Case(name, partial(run, folder, name))


@torch.no_grad()
def run(folder: Path, name: str) -> Verdict:
    """Build, fill, ask, compare."""
    if name not in ANSWERS:
        raise NotImplementedError(f"no network for {name}")
    network, found = ANSWERS[name](name)
    return judged(goldens(folder)[name], whole(folder, name), found, network)


def told(spec: UNetSpec, name: str) -> TextStates:
    """The conditioning of a case, as far as its network wants it."""
    return TextStates(
        given(f"{name}.ctx", (2, 77, spec.text_width)),
        given(f"{name}.pool", (2, spec.pooled_width)) if spec.pooled_width else None,
        size=torch.tensor(SIZES[spec.size_numbers]) if spec.size_numbers else None,
        guidance=given(f"{name}.cond", (2, spec.guidance_width)) if spec.guidance_width else None,
        label=label(spec),
    )


def label(spec: UNetSpec) -> Tensor | None:
    """What stands for a class, in the two networks that want one."""
    if spec.labels:
        return torch.tensor([20, 350])
    return given("unclip.lab", (2, spec.label_width)) if spec.label_width else None


def unet(spec: UNetSpec, name: str, size: tuple[int, int] = (16, 24)) -> Answer:
    """A U-Net asked about two pictures at two steps."""
    network = filled(bare(lambda: UNet(spec)))
    x = given(f"{name}.x", (2, spec.channels_in, *size))
    return network, network(x, torch.tensor([981.0, 17.0]), told(spec, name))


def encoder(spec: AutoencoderSpec, name: str) -> Answer:
    """Mean and log-variance, as the network tells them."""
    network = filled(bare(lambda: Autoencoder(spec)))
    moments = network.moments(given(f"{name}.x", (1, 3, 8 * spec.factor, 6 * spec.factor)))
    return network, torch.cat(moments, dim=1)


def decoder(spec: AutoencoderSpec, name: str) -> Answer:
    """Pixels of latents."""
    network = filled(bare(lambda: Autoencoder(spec)))
    return network, network.decode(given(f"{name}.z", (1, spec.latent_channels, 8, 6)))


def tiny(spec: TinyAutoencoderSpec, name: str, pixels: bool = False) -> Answer:
    """Latents of pixels, or pixels of latents."""
    network = filled(bare(lambda: TinyAutoencoder(spec)))
    if pixels:
        return network, network.encode(given(f"{name}.x", (1, 3, 64, 48)))
    return network, network.decode(given(f"{name}.z", (1, spec.latent_channels, 8, 6)))


def controlnet(spec: UNetSpec, name: str, soft: bool = False) -> Answer:
    """All maps of a ControlNet in a row; both pictures are told the same sizes."""
    network, text = filled(bare(lambda: ControlNet(spec))), told(spec, name)
    if text.size is not None:
        text = replace(text, size=text.size[:1].expand(2, -1))
    hint = given(f"{name}.hint", (2, 3, 128, 192)).sigmoid()
    asked = given(f"{name}.x", (2, 4, 16, 24)), torch.tensor([500.0, 20.0]), text
    found = Control(network, hint, scale=0.8, soft=soft).residuals(*asked)
    return network, in_a_row([*found.skips, *([] if found.middle is None else [found.middle])])


def t2i(spec: AdapterSpec, name: str) -> Answer:
    """All maps of a T2I-Adapter in a row."""
    network = filled(bare(lambda: T2IAdapter(spec)))
    return network, in_a_row(network(given(f"{name}.x", (1, 3, 128, 192)).sigmoid()))


def in_a_row(maps: list[Tensor]) -> Tensor:
    """Maps of several sizes as one list of numbers per picture."""
    return torch.cat([each.flatten(1) for each in maps], dim=1)


ANSWERS: Mapping[str, Callable[[str], Answer]] = {
    "unet.sd1": partial(unet, SD1),
    "unet.sd1_inpaint9": partial(unet, replace(SD1, channels_in=9)),
    "unet.sd1_odd_latent": partial(unet, SD1, size=(15, 21)),
    "unet.lcm_cond256": partial(unet, replace(SD1, guidance_width=256)),
    "unet.sd2": partial(unet, SD2),
    "unet.sd2_upcast": partial(unet, SD2),
    "unet.sd2_depth5": partial(unet, replace(SD2, channels_in=5)),
    "unet.unclip": partial(unet, replace(SD2, label_width=80)),
    "unet.x4": partial(unet, X4),
    "unet.sdxl": partial(unet, XL),
    "unet.refiner": partial(unet, REFINER),
    "vae.enc": partial(encoder, VAE),
    "vae.dec": partial(decoder, VAE),
    "vae.x4.dec": partial(decoder, VAE_X4),
    "vae.sd3.enc": partial(encoder, VAE_SD3),
    "vae.sd3.dec": partial(decoder, VAE_SD3),
    "taesd.enc": partial(tiny, TAESD, pixels=True),
    "taesd.dec": partial(tiny, TAESD),
    "taesd3.dec": partial(tiny, TAESD3),
    "controlnet.sd1": partial(controlnet, SD1),
    "controlnet.sd1_guess": partial(controlnet, SD1, soft=True),
    "controlnet.sdxl": partial(controlnet, XL),
    "t2i.full": partial(t2i, replace(FULL, channels=NARROW)),
    "t2i.full_xl": partial(t2i, replace(FULL_XL, channels=NARROW)),
    "t2i.light": partial(t2i, replace(LIGHT, channels=(32, 64, 128, 128))),
    "REAL.unet.sd15": partial(unet, SD15, size=(8, 8)),
    "REAL.unet.sd21": partial(unet, SD21, size=(8, 8)),
    "REAL.vae.sd.enc": partial(encoder, replace(spaces.SD, latent_std=(1.0,))),
    "REAL.vae.sd.dec": partial(decoder, replace(spaces.SD, latent_std=(1.0,))),
}
