"""Networks that paint by depth, and those that enlarge, against the pipelines of diffusers with the same weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.denoiser import Target
from inkwash.device import Compute
from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import DiscreteSchedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.metadata.record import read_record
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.start import start
from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.hints import Hints
from inkwash.reverse.registry import SAMPLERS
from inkwash.rng import NoiseSource
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder
from inkwash.weights.bundle import Bundle, load_bundle
from inkwash.weights.choice import ModelChoice
from inkwash.weights.models import open_model
from inkwash.weights.plain import built
from tools.checkpoints import CHECKPOINTS, write_folder
from tools.topology import SD, Net, Slots

ASKED = {"prompt": "a photo of a cat", "negative_prompt": "a dog", "seed": 5, "steps": 4, "guidance": 3.0}
SPACE = AutoencoderSpec(
    (32, 32, 32), (1, 1, 1), (2, 2, 2), latent_channels=4, groups=8, quant_convs=True, latent_std=(1 / 0.08333,)
)


def network(channels: int, labels: int = 0) -> UNet:
    torch.manual_seed(1)
    unet = UNet(UNetSpec((Stage(32, 1), Stage(64)), 16, channels, heads=4, blocks=1, labels=labels))
    with torch.no_grad():
        for weight in unet.parameters():
            weight.add_(0.05 * torch.randn(weight.shape))
    return unet.eval().requires_grad_(False)


def engine_of(folder: Path, unet: UNet, target: Target, betas: tuple[float, float]) -> Engine:
    torch.manual_seed(2)
    steps = torch.linspace(betas[0] ** 0.5, betas[1] ** 0.5, 1000, dtype=torch.float64) ** 2
    schedule, space = DiscreteSchedule.from_betas(steps), Autoencoder(SPACE).eval().requires_grad_(False)
    bundle = load_bundle(folder)
    assert isinstance(bundle.text, Conditioner)
    reader = TextEncoder(replace(bundle.text.encoder.spec, mask_padding=False)).eval().requires_grad_(False)
    text = Conditioner(bundle.text.tokenizer, reader)
    bundle = replace(bundle, predictor=unet, target=target, schedule=schedule, autoencoder=space, text=text)
    return Engine(bundle, Compute(torch.device("cpu"), torch.float32))


def theirs(unet: UNet, channels: int, **more: Any) -> Any:
    """The same network in diffusers."""
    diffusers = pytest.importorskip("diffusers")
    twin = diffusers.UNet2DConditionModel(
        sample_size=64,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        **more,
    )
    twin.load_state_dict(unet.state_dict())
    return twin.eval()


def states(bundle: Bundle) -> dict[str, torch.Tensor]:
    told = {"prompt_embeds": ASKED["prompt"], "negative_prompt_embeds": ASKED["negative_prompt"]}
    return {name: bundle.text([str(words)]).states for name, words in told.items()}


def latents(pipe: Any, bundle: Bundle, **asked: Any) -> torch.Tensor:
    """What a pipeline of diffusers paints for the words and numbers of ASKED."""
    pipe.set_progress_bar_config(disable=True)
    numbers = {"num_inference_steps": 4, "guidance_scale": 3.0, "generator": torch.Generator().manual_seed(5)}
    found: torch.Tensor = pipe(output_type="latent", **numbers, **states(bundle), **asked).images
    return found


def test_an_enlarged_picture_is_the_one_of_diffusers(tiny_folder: Path, tmp_path: Path) -> None:
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers", reason="diffusers builds its pipelines with it")
    unet = network(7, labels=1000)
    engine = engine_of(tiny_folder, unet, "v", (0.0001, 0.02))
    small = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8))
    small.save(tmp_path / "small.png")
    way = {"sampler": "ddim", "spacing": "leading"}
    asked = built(GenerateRequest, {**ASKED, **way, "image": str(tmp_path / "small.png"), "hints": {"noise_level": 30}})
    (batch,) = engine.batches([asked])
    assert (batch.shared.width, batch.shared.height) == (48, 32)
    begin = start(batch, engine.bundle, torch.device("cpu"))
    x = begin.x * (1 + begin.sigmas[0] ** -2) ** 0.5  # diffusers gives its first latents all the variance there is
    with torch.inference_mode():
        denoise = engine.denoiser(batch, begin.sigmas, begin.beside)
        *_, last = SAMPLERS["ddim"](denoise, x, begin.sigmas, begin.noise)
    betas = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "scaled_linear"}
    pipe = diffusers.StableDiffusionUpscalePipeline(
        vae=diffusers.AutoencoderKL(block_out_channels=(32,), norm_num_groups=8, scaling_factor=0.08333),
        text_encoder=None,
        tokenizer=None,
        unet=theirs(unet, 7, num_class_embeds=1000),
        low_res_scheduler=diffusers.DDPMScheduler(**betas),
        scheduler=diffusers.DDIMScheduler(
            **betas, prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=True, steps_offset=1
        ),
    )
    want = latents(pipe, engine.bundle, image=small, noise_level=30)
    torch.testing.assert_close(last.x, want, atol=2e-3, rtol=2e-3)


def test_depth_is_seen_as_in_diffusers(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers", reason="diffusers builds its pipelines with it")
    unet = network(5)
    engine = engine_of(tiny_folder, unet, "epsilon", (0.00085, 0.012))
    space = engine.bundle.autoencoder
    assert isinstance(space, Autoencoder)
    space.quant_conv.weight[4:], space.quant_conv.bias[4:] = 0.0, -30.0  # type: ignore[index]  draws are means
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (32, 48, 3), dtype=np.uint8))
    deep = rng.integers(0, 60000, (32, 48)).astype(np.uint16)
    photo.save(tmp_path / "photo.png")
    Image.fromarray(deep).save(tmp_path / "depth.png")
    given = {"image": str(tmp_path / "photo.png"), "hints": {"depth": str(tmp_path / "depth.png")}, "strength": 0.5}
    way = {"sampler": "ddim", "spacing": "leading", "width": 48, "height": 32}
    (batch,) = engine.batches([built(GenerateRequest, {**ASKED, **way, **given})])
    seeded = NoiseSource.seeded
    shape = (4, 8, 12)

    def later(*told: Any) -> NoiseSource:
        """diffusers draws the latents of the photograph first."""
        source = seeded(*told)
        source.draw(shape)
        return source

    monkeypatch.setattr("inkwash.pipeline.start.NoiseSource.seeded", later)
    *_, last = engine.steps(batch)
    vae = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(32, 32, 32),
        norm_num_groups=8,
        scaling_factor=0.08333,
    )
    vae.load_state_dict(space.state_dict())
    pipe = diffusers.StableDiffusionDepth2ImgPipeline(
        vae=vae.eval(),
        text_encoder=None,
        tokenizer=None,
        unet=theirs(unet, 5),
        scheduler=diffusers.DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=True,
            steps_offset=1,
        ),
        depth_estimator=None,
        feature_extractor=None,
    )
    depth = torch.from_numpy(deep.astype(np.float32))[None]
    want = latents(pipe, engine.bundle, image=photo, depth_map=depth, strength=0.5)
    torch.testing.assert_close(last.x, want, atol=2e-3, rtol=2e-3)


def test_depth_goes_into_the_record_and_is_wanted(tiny_folder: Path, tmp_path: Path) -> None:
    engine = engine_of(tiny_folder, network(5), "epsilon", (0.00085, 0.012))
    Image.linear_gradient("L").save(tmp_path / "depth.png")
    painting = engine.paint(GenerateRequest(seed=1, hints=Hints(depth=tmp_path / "depth.png")))[0]
    painting.save(tmp_path / "a.png")
    record = read_record(tmp_path / "a.png")
    assert [*record.inputs] == [(tmp_path / "depth.png").as_posix()]
    assert engine.paint(record.requests[0])[0].png() == painting.png()
    with pytest.raises(InvalidRequest, match=r"hints.depth is None.*estimates it is not part of inkwash"):
        engine.paint(GenerateRequest(seed=1))
    with pytest.raises(InvalidRequest, match=r"hints.noise_level is 3, but must be left out"):
        engine.paint(GenerateRequest(seed=1, hints=Hints(noise_level=3)))


def test_enlarging_wants_a_picture_and_no_mask(tiny_folder: Path, photo: Path, half: Path) -> None:
    engine = engine_of(tiny_folder, network(7, labels=50), "v", (0.0001, 0.02))
    with pytest.raises(InvalidRequest, match="image is None, but must be given: tiny enlarges"):
        engine.paint(GenerateRequest(seed=1))
    with pytest.raises(InvalidRequest, match=r"mask is .* left out: tiny enlarges the whole picture"):
        engine.paint(GenerateRequest(seed=1, image=photo, mask=half))
    with pytest.raises(InvalidRequest, match=r"hints.noise_level is 50, but must be below 50"):
        engine.paint(GenerateRequest(seed=1, image=photo, hints=Hints(noise_level=50)))


def test_other_networks_take_no_hints(tiny_folder: Path, photo: Path) -> None:
    engine = Engine(load_bundle(tiny_folder), Compute(torch.device("cpu"), torch.float32))
    with pytest.raises(InvalidRequest, match=r"hints.depth is .* left out: tiny does not paint by depth"):
        engine.paint(GenerateRequest(seed=1, hints=Hints(depth=photo)))


DEEP = {**CHECKPOINTS["sd2"], "unet": Net((64, 64, 64, 64), SD, 1024, channels_in=5).slots()}
UPSCALING = ((0, 0, 1, 1, 1, 1, 1, 1), 1, (1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0))
CROSSED = (True, True, True, False)
ENLARGING = {
    **CHECKPOINTS["sd2"],
    "unet": Net((64, 64, 64, 64), UPSCALING, 1024, channels_in=7, classes=1000, crossed=CROSSED).slots(),
}


@pytest.mark.parametrize(("parts", "size"), [(DEEP, (32, 32)), (ENLARGING, (16, 16))])
def test_released_checkpoints_of_both_kinds_paint(
    parts: dict[str, Slots], size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHECKPOINTS, "sd2", parts)  # type: ignore[arg-type]
    folder = write_folder(tmp_path / "released", "sd2", "v_prediction")
    Image.linear_gradient("L").resize((8, 8)).save(tmp_path / "small.png")
    engine = Engine(open_model(ModelChoice(folder)), Compute(torch.device("cpu"), torch.float32))
    asked = GenerateRequest(prompt="a photo of a cat", steps=1, seed=1, image=tmp_path / "small.png")
    if parts is DEEP:
        asked = replace(asked, width=32, height=32, hints=Hints(depth=tmp_path / "small.png"))
    painting = engine.paint(asked)[0]
    assert painting.image.size == size
    assert (painting.request.hints.noise_level is None) == (parts is DEEP)
