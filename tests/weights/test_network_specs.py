from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from torch import nn

from inkwash.errors import WeightsError
from inkwash.latent import spec as spaces
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.predictor.controlnet import ControlNet
from inkwash.predictor.spec import PETS, RELEASED, SD15, SDXL, Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.weights import network_specs
from inkwash.weights.families import Depths
from inkwash.weights.family import identified
from inkwash.weights.network_specs import Shapes, autoencoder_spec, unet_of, unet_spec
from tools.topology import REFINER, SD, SSD, TINY, named, unets, vae

NETS = unets()


def shapes(network: nn.Module) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize(
    "name", ["sd15-inpaint", "sd21-depth", "x4-upscaler", "sdxl", "ssd-1b", "koala-700m", "bk-sdm-tiny", "sdxs"]
)
def test_a_released_network_is_told_by_its_shapes(name: str) -> None:
    with torch.device("meta"):
        assert unet_spec(shapes(UNet(RELEASED[name]))) == RELEASED[name]


@pytest.mark.parametrize("spec", [replace(SD15, guidance_width=256), RELEASED["sdxl-refiner"], PETS])
def test_so_are_others(spec: UNetSpec) -> None:
    with torch.device("meta"):
        assert unet_spec(shapes(UNet(spec))) == spec


SMALL_XL = replace(SDXL, stages=(Stage(320), Stage(640), Stage(1280)), mid_depth=0, mid_blocks=1)
"""As of the smallest ControlNet for SDXL, which looks at no words."""


@pytest.mark.parametrize("spec", [SD15, SMALL_XL])
def test_a_controlnet_is_told_too(spec: UNetSpec) -> None:
    with torch.device("meta"):
        network = ControlNet(spec)
        assert shapes(ControlNet(unet_spec(shapes(network)))) == shapes(network)


@pytest.mark.parametrize("spec", [spaces.SD, spaces.X4, spaces.SD3, spaces.PETS])
def test_an_autoencoder_is_told_but_for_its_units(spec: AutoencoderSpec) -> None:
    with torch.device("meta"):
        found = autoencoder_spec(shapes(Autoencoder(spec)), AutoencoderSpec(latent_std=(2.0,)))
    assert found == replace(spec, latent_std=(2.0,), latent_mean=(0.0,))


@pytest.mark.parametrize(
    ("name", "channels", "words", "linear", "extras"),
    [
        ("sd1", (320, 640, 1280, 1280), 768, False, (0, 0, 0, 0)),
        ("sd1-lcm", (320, 640, 1280, 1280), 768, False, (0, 0, 0, 256)),
        ("sd2", (320, 640, 1280, 1280), 1024, True, (0, 0, 0, 0)),
        ("sd2-unclip-h", (320, 640, 1280, 1280), 1024, True, (0, 2048, 0, 0)),
        ("x4-upscaler", (256, 512, 512, 1024), 1024, True, (0, 0, 1000, 0)),
        ("sdxl", (320, 640, 1280), 2048, True, (2816, 0, 0, 0)),
        ("sdxl-refiner", (384, 768, 1536, 1536), 1280, True, (2560, 0, 0, 0)),
    ],
)
def test_numbers_of_a_unet(
    name: str, channels: tuple[int, ...], words: int, linear: bool, extras: tuple[int, ...]
) -> None:
    spec = unet_of(named(NETS[name]))
    assert spec is not None
    assert tuple(stage.channels for stage in spec.stages) == channels
    assert (network_specs.words(spec), spec.linear_projection, spec.blocks) == (words, linear, 2)
    added = spec.pooled_width + spec.size_numbers * spec.size_width
    assert (added, spec.label_width, spec.labels, spec.guidance_width) == extras
    assert spec.channels_out == 4


@pytest.mark.parametrize(
    ("name", "depths"), [("sd1", SD), ("sdxl-refiner", REFINER), ("ssd-1b", SSD), ("bk-sdm-tiny", TINY)]
)
def test_depths_of_every_site(name: str, depths: Depths) -> None:
    spec = unet_of(named(NETS[name]))
    assert spec is not None
    assert network_specs.depths(spec) == depths


def test_who_looks_at_no_words() -> None:
    assert (network_specs.words(SMALL_XL), network_specs.words(SDXL)) == (0, 2048)


def test_what_is_neither_is_refused() -> None:
    assert unet_of(named(vae())) is None
    with pytest.raises(WeightsError, match="no U-Net"):
        unet_spec({"a.weight": (3, 4)})
    with pytest.raises(WeightsError, match="no KL autoencoder"):
        autoencoder_spec({"a.weight": (3, 4)}, spaces.SD)


def test_stages_of_unlike_blocks_are_refused() -> None:
    with torch.device("meta"):
        found = dict(shapes(UNet(replace(PETS, stages=PETS.stages[:2]))))
    extra = {name.replace("1.resnets.0", "1.resnets.1"): shape for name, shape in found.items()}
    with pytest.raises(WeightsError, match="not the same number of blocks"):
        unet_spec({**found, **extra})


@pytest.mark.parametrize("number", ["99", "9" * 30])
def test_absurd_numbers_are_refused_at_once(number: str) -> None:
    with pytest.raises(WeightsError):
        unet_spec({"conv_in.weight": (32, 4, 3, 3), f"down_blocks.{number}.resnets.0.conv1.weight": (1, 1)})


@pytest.mark.parametrize("name", ["down_blocks.99999999999.resnets.0.conv1.weight", "down_blocks.x"])
def test_such_a_file_is_of_no_family(name: str) -> None:
    assert identified(named({"conv_in.weight": (32, 4, 3, 3), "time_embedding.a": (1,), name: (1, 1)})).family == ""


def test_shapes_that_make_no_sense_are_refused_or_read() -> None:
    with torch.device("meta"):
        found = shapes(UNet(PETS))
    for name in found:
        with suppress(WeightsError):
            assert isinstance(unet_spec({**found, name: ()}), UNetSpec)
