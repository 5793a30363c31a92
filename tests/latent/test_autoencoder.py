"""The autoencoder against the released one: its numbers of parameters, their names, its norms, and its answers."""

import json
import zlib
from math import sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inkwash.latent import spec
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.rng import NoiseSource

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "autoencoder.json").read_text())
"""Made with diffusers 0.42.1 from weights and inputs that follow the rule in `filling`."""

NARROW = {
    "vae.x4.dec": AutoencoderSpec(
        channels=(32, 64, 128), encoder_blocks=(2,) * 3, decoder_blocks=(3,) * 3, latent_std=(1.0,)
    ),
    "vae.sd3.enc": AutoencoderSpec(
        channels=(32, 64, 128, 128), latent_channels=16, quant_convs=False, latent_std=(1.0,)
    ),
}
NARROW["vae.sd3.dec"] = NARROW["vae.sd3.enc"]


def numbers(seed: str, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(seed.encode())))


def filling(key: str, shape: tuple[int, ...]) -> Tensor:
    drawn = numbers(key, shape)
    if len(shape) >= 2:
        return drawn / sqrt(drawn[0].numel())
    owner, _, leaf = key.rpartition(".")
    return 1 + 0.1 * drawn if leaf == "weight" and "norm" in owner.split(".")[-1] else 0.1 * drawn


def filled(wanted: AutoencoderSpec) -> Autoencoder:
    model = Autoencoder(wanted).eval()
    model.load_state_dict({key: filling(key, tuple(value.shape)) for key, value in model.state_dict().items()})
    return model


def names_crc(model: nn.Module) -> int:
    lines = sorted((key, list(value.shape)) for key, value in model.state_dict().items())
    return zlib.crc32("\n".join(f"{key} {shape}" for key, shape in lines).encode())


def on_meta(wanted: AutoencoderSpec) -> Autoencoder:
    with torch.device("meta"):
        return Autoencoder(wanted)


@pytest.mark.parametrize(
    ("wanted", "parameters", "tensors"),
    [(spec.SD, 83_653_863, 248), (spec.SDXL, 83_653_863, 248), (spec.SD3, 83_819_683, 244)],
)
def test_released_sizes(wanted: AutoencoderSpec, parameters: int, tensors: int) -> None:
    model = on_meta(wanted)
    assert sum(weights.numel() for weights in model.parameters()) == parameters
    assert len(model.state_dict()) == tensors


def test_every_name_and_shape_is_that_of_the_released_file() -> None:
    assert names_crc(on_meta(spec.SD)) == GOLDEN["released.sd"]["keys_crc"]


def test_every_norm_has_the_autoencoders_epsilon() -> None:
    norms = [module for module in on_meta(spec.SD).modules() if isinstance(module, nn.GroupNorm)]
    assert len(norms) == 52
    assert {(norm.eps, norm.num_groups) for norm in norms} == {(1e-6, 32)}


@pytest.mark.parametrize("name", sorted(NARROW))
def test_answers_are_those_of_diffusers(name: str) -> None:
    golden, wanted = GOLDEN[name], NARROW[name]
    model = filled(wanted)
    assert names_crc(model) == golden["keys_crc"]
    with torch.no_grad():
        if name.endswith("enc"):
            side = wanted.factor
            found = torch.cat(model.moments(numbers(f"in:{name}.x", (1, 3, 8 * side, 6 * side))), dim=1)
        else:
            found = model.decode(numbers(f"in:{name}.z", (1, wanted.latent_channels, 8, 6)))
    flat = found.double().flatten()
    assert list(found.shape) == golden["shape"]
    ends = torch.tensor(golden["head"] + golden["tail"], dtype=torch.float64)
    torch.testing.assert_close(torch.cat([flat[:6], flat[-6:]]), ends, atol=1e-5 * flat.abs().max().item(), rtol=0)
    assert flat.abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)
    assert flat.std().item() == pytest.approx(golden["std"], rel=1e-5)


@pytest.mark.parametrize(("wanted", "factor"), [(spec.SD, 8), (spec.PETS, 8), (spec.TINY, 4)])
def test_the_factor_is_what_the_network_does(wanted: AutoencoderSpec, factor: int) -> None:
    assert wanted.factor == factor
    model = on_meta(wanted)
    pixels = torch.zeros(2, 3, 8 * factor, 4 * factor, device="meta")
    mean, logvar = model.moments(pixels)
    assert mean.shape == logvar.shape == (2, wanted.latent_channels, 8, 4)
    assert model.decode(mean).shape == pixels.shape


def test_pets_is_the_model_that_fits_a_small_package() -> None:
    assert sum(weights.numel() for weights in on_meta(spec.PETS).parameters()) == pytest.approx(3.3e6, rel=0.05)
    assert not any(isinstance(module, nn.GroupNorm) for module in on_meta(spec.PETS).modules())


def with_statistics(mean: tuple[float, ...], std: tuple[float, ...]) -> Autoencoder:
    return filled(AutoencoderSpec(**{**vars(spec.TINY), "latent_mean": mean, "latent_std": std}))


def test_latents_are_in_units_of_their_own_statistics() -> None:
    mean, std = (0.5, -1.0, 0.0, 2.0), (2.0, 0.5, 1.0, 4.0)
    raw, scaled = with_statistics((0.0,), (1.0,)), with_statistics(mean, std)
    pixels = torch.rand(2, 3, 16, 16) * 2 - 1
    centre, spread = (torch.tensor(part)[:, None, None] for part in (mean, std))
    with torch.no_grad():
        before, after = raw.moments(pixels), scaled.moments(pixels)
        torch.testing.assert_close(after[0], (before[0] - centre) / spread)
        torch.testing.assert_close((0.5 * after[1]).exp(), (0.5 * before[1]).exp() / spread)
        torch.testing.assert_close(scaled.decode(after[0]), raw.decode(before[0]))


def test_encoding_without_noise_is_the_mean_and_with_noise_a_draw_around_it() -> None:
    model = filled(spec.TINY)
    pixels = torch.rand(2, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        mean, logvar = model.moments(pixels)
        drawn = model.encode(pixels, NoiseSource.seeded([3, 4]))
        assert torch.equal(model.encode(pixels), mean)
    eps = NoiseSource.seeded([3, 4]).like(mean)
    torch.testing.assert_close(drawn, mean + (0.5 * logvar).exp() * eps)


def test_no_pixel_of_the_picture_is_lost_in_patches() -> None:
    """With patches of 2 the first convolution sees every pixel: changing any one changes the latents."""
    model = filled(spec.TINY)
    pixels = torch.zeros(1, 3, 8, 8, requires_grad=True)
    mean, _ = model.moments(pixels)
    mean.square().sum().backward()
    assert pixels.grad is not None
    assert bool((pixels.grad != 0).all())
