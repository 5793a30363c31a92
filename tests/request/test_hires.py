from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.metadata.record import read_record
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.enlarging import second_pass, stretched
from inkwash.pipeline.film import Film
from inkwash.pipeline.start import walked
from inkwash.request.generate import GenerateRequest
from inkwash.request.hires import LATENT, PIXELS, Hires, upscaler_named
from inkwash.reverse.spacing import SPACINGS

CAT = GenerateRequest(prompt="a photo of a cat", seed=3)


@pytest.mark.parametrize("upscaler", [*LATENT, *PIXELS])
def test_every_upscaler_makes_a_larger_picture(engine: Engine, upscaler: str) -> None:
    asked = replace(CAT, steps=2, hires=Hires(scale=1.5, upscaler=upscaler, steps=1))
    assert engine.paint(asked)[0].image.size == (48, 48)


def test_the_second_pass_walks_its_own_steps_at_the_low_end(engine: Engine) -> None:
    asked = replace(CAT, steps=3, hires=Hires(scale=2.0, steps=4, strength=0.5, sampler="euler", spacing="karras"))
    (batch,) = engine.batches([asked])
    steps = list(engine.steps(batch))
    assert walked(batch.shared) == len(steps) == 7
    levels = SPACINGS["karras"](engine.bundle.schedule, 8)[-5:]
    assert [step.sigma for step in steps[3:]] == pytest.approx(levels[:-1].tolist())
    assert [tuple(step.x.shape[2:]) for step in steps] == [(8, 8)] * 3 + [(16, 16)] * 4


def test_the_second_pass_begins_in_the_enlarged_latents(engine: Engine) -> None:
    (batch,) = engine.batches(
        [replace(CAT, hires=Hires(scale=2.0, steps=8, strength=0.05, upscaler="Latent (nearest)"))]
    )
    steps = list(engine.steps(batch))
    first, last = steps[2].x, steps[-1].x
    twice = first.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert (last - twice).norm() < 0.15 * twice.norm()


def test_what_is_said_of_the_second_pass_wins_there(engine: Engine) -> None:
    own = Hires(width=64, prompt="a photo of a dog", negative_prompt="x", guidance=5.0, steps=2)
    (batch,) = engine.batches([replace(CAT, width=32, height=16, count=2, hires=own)])
    larger = second_pass(batch, engine.bundle)
    assert (larger.shared.width, larger.shared.height, larger.shared.guidance) == (64, 32, 5.0)
    assert (larger.prompts, larger.unwanted) == (["a photo of a dog"] * 2, ["x"] * 2)
    assert [each.seed for each in larger.requests] == [3, 4]


def test_pictures_of_two_passes_do_not_depend_on_their_batch_and_are_painted_again(
    engine: Engine, tmp_path: Path
) -> None:
    asked = replace(CAT, count=2, sampler="euler_ancestral", hires=Hires(scale=2.0, steps=2))
    second = engine.paint(asked)[1]
    alone = engine.paint(replace(asked, seed=4, count=1))[0]
    assert second.request == alone.request
    alone.save(tmp_path / "a.png")
    assert engine.paint(read_record(tmp_path / "a.png").requests[0])[0].png() == alone.png()
    assert "Denoising strength: 0.7, Hires upscale: 2, Hires steps: 2, Version" in alone.parameters


def test_editing_goes_on_in_the_second_pass(engine: Engine) -> None:
    def painted(prompt: str) -> bytes:
        return engine.paint(replace(CAT, prompt=prompt, hires=Hires(scale=1.5, steps=4)))[0].image.tobytes()

    assert painted("[cat:dog:1.0]") != painted("[cat:dog:1.5]") != painted("cat")
    assert painted("[cat:dog:2.0]") == painted("[cat:dog:7]")  # never: all seven steps are a cat


def test_a_film_of_two_passes_has_one_size(engine: Engine) -> None:
    film = Film(engine)
    for step in engine.stream(replace(CAT, hires=Hires(scale=2.0, steps=1))):
        film.add(step)
    assert len(film.webp()) > 0


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_latents_of_another_shape_are_cut_evenly(mode: str) -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    found = stretched(ramp, (16, 8), mode, smooth=False)
    assert found.shape == (1, 1, 16, 8)
    assert found[0, 0, 0].mean().item() == pytest.approx(3.5)
    torch.testing.assert_close(stretched(ramp, (8, 8), mode, smooth=False), ramp)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 3}, r"hires.scale is None, but must be given"),
        ({"scale": 2.0, "sampler": "nope"}, r"hires.sampler is 'nope', but must be one of"),
        ({"scale": 16.0, "width_first": 512}, r"hires.scale is 16.0, but must be small enough"),
    ],
)
def test_passes_that_cannot_be_painted(engine: Engine, change: dict[str, Any], message: str) -> None:
    first = change.pop("width_first", 32)
    with pytest.raises(InvalidRequest, match=message):
        engine.batches([replace(CAT, width=first, hires=Hires(**change))])


def test_the_second_pass_knows_the_names_of_other_programs(engine: Engine) -> None:
    (batch,) = engine.batches([replace(CAT, sampler="euler", hires=Hires(scale=2.0, sampler="DPM++ 2M Karras"))])
    assert (batch.shared.hires.sampler, batch.shared.hires.spacing) == ("dpmpp_2m", "karras")
    (batch,) = engine.batches([replace(CAT, sampler="euler", hires=Hires(scale=2.0, sampler="Euler"))])
    assert (batch.shared.hires.sampler, batch.shared.hires.spacing) == (None, None)  # as in the first


def test_there_is_no_second_pass_over_a_photograph(engine: Engine, photo: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"hires is .* left out where there is an image"):
        engine.paint(replace(CAT, image=photo, hires=Hires(scale=2.0)))


def test_names_of_upscalers() -> None:
    assert upscaler_named("latent bicubic antialiased") == "Latent (bicubic antialiased)"
    for wrong in ("ESRGAN", "a.pth"):
        with pytest.raises(InvalidRequest, match=r"hires.upscaler is .* one of Latent,.* or a .safetensors file"):
            Hires(scale=2.0, upscaler=wrong)
    with pytest.raises(InvalidRequest, match=r"hires.scale is 2.0, but must be left out where a width"):
        Hires(scale=2.0, width=64)
