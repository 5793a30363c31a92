import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.denoiser import guided, guided_at_once
from inkwash.device import Compute
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.metadata.record import check, read_record
from inkwash.pictures.picture import pixels_of
from inkwash.pipeline import guesser
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.film import Film, animated
from inkwash.pipeline.painting import Painting, sheet
from inkwash.request.generate import GenerateRequest
from inkwash.weights.bundle import load_bundle

CAT = GenerateRequest(prompt="a photo of a cat", seed=3)


def difference(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max())


def test_the_same_request_paints_the_same_bytes(engine: Engine) -> None:
    first, second = (engine.paint(CAT)[0] for _ in range(2))
    assert first.png() == second.png()
    assert (first.image.size, first.seed) == ((32, 32), 3)


def test_another_seed_and_another_prompt_paint_other_pictures(engine: Engine) -> None:
    pictures = [engine.paint(each)[0].image.tobytes() for each in (CAT, replace(CAT, seed=4), replace(CAT, prompt="x"))]
    assert len(set(pictures)) == 3


@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral", "dpmpp_2m", "dpmpp_sde", "sa_solver", "lcm", "pndm"])
def test_picture_k_does_not_depend_on_its_batch(engine: Engine, sampler: str) -> None:
    asked = replace(CAT, sampler=sampler, count=3)
    together = engine.paint(asked)
    for k, painting in enumerate(together):
        alone = engine.paint(replace(asked, seed=3 + k, count=1))[0]
        assert difference(painting.image, alone.image) <= 1  # sums are rounded in another order
        assert painting.request == alone.request


def test_neighbours_with_other_prompts_change_nothing(engine: Engine) -> None:
    (batch,) = engine.batches([CAT, replace(CAT, prompt="a photo of a beagle dog", negative_prompt="a cat", seed=9)])
    *_, last = engine.steps(batch)
    for painting in engine.finish(batch, last.x):
        assert difference(painting.image, engine.paint(painting.request)[0].image) <= 1


def test_many_pictures_come_in_batches(engine: Engine) -> None:
    paintings = engine.paint(replace(CAT, count=18, steps=1))
    assert [painting.seed for painting in paintings] == list(range(3, 21))
    assert [step.index for step in engine.stream(replace(CAT, count=18, steps=2))] == [0, 1, 0, 1]


def test_steps_lead_to_the_picture(engine: Engine) -> None:
    steps = list(engine.stream(CAT))
    assert [step.index for step in steps] == [0, 1, 2]
    assert steps[-1].sigma_next == 0
    assert engine.look(steps[-1].x)[0].tobytes() == engine.paint(CAT)[0].image.tobytes()


def test_streaming_leaves_the_callers_gradients_alone(engine: Engine) -> None:
    for _ in engine.stream(CAT):
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()


def test_asking_twice_or_at_once_is_the_same_guidance(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = engine.paint(CAT)[0].image
    monkeypatch.setattr(guesser, "AT_ONCE", 0)
    assert difference(at_once, engine.paint(CAT)[0].image) <= 1
    assert {guided.__name__, guided_at_once.__name__} <= vars(guesser).keys()


def test_guidance_acts_only_inside_its_interval(engine: Engine) -> None:
    plain = engine.paint(replace(CAT, guidance=1.0))[0].image
    never = engine.paint(replace(CAT, guidance=9.0, guidance_from=1e5, guidance_until=1e6))[0].image
    always = engine.paint(replace(CAT, guidance=9.0))[0].image
    assert plain.tobytes() == never.tobytes() != always.tobytes()


def test_a_negative_prompt_matters_only_under_guidance(engine: Engine) -> None:
    def last(guidance: float, unwanted: str) -> torch.Tensor:
        return list(engine.stream(replace(CAT, guidance=guidance, negative_prompt=unwanted)))[-1].x

    assert torch.equal(last(1.0, "a dog"), last(1.0, ""))
    assert not torch.equal(last(4.0, "a dog"), last(4.0, ""))


def test_little_strength_stays_near_the_photograph(engine: Engine, photo: Path) -> None:
    seen = pixels_of([Image.open(photo)])
    space = engine.bundle.autoencoder
    known = space.encode(seen)

    def distance(strength: float) -> float:
        *_, last = engine.stream(replace(CAT, image=photo, strength=strength, steps=20))
        return (last.x - known).norm().item()

    assert distance(0.05) < distance(0.5) < distance(1.0)


def test_variations_lie_between_the_pictures_of_two_seeds(engine: Engine) -> None:
    def first(strength: float, **more: int) -> torch.Tensor:
        return next(engine.stream(replace(CAT, subseed_strength=strength, **more))).x

    assert torch.equal(first(0.0), first(0.0, subseed=8))
    near, far = ((first(strength, subseed=8) - first(0.0)).norm() for strength in (0.1, 0.6))
    assert 0 < near < far
    assert torch.allclose(first(1.0, subseed=8), first(0.0, seed=8), rtol=1e-3, atol=1e-3)


def test_inpainting_keeps_what_is_black_to_the_last_bit(engine: Engine, photo: Path, half: Path) -> None:
    painting = engine.paint(replace(CAT, image=photo, mask=half, steps=4))[0]
    before, after = np.asarray(Image.open(photo)), np.asarray(painting.image)
    assert np.array_equal(before[:, :16], after[:, :16])
    assert not np.array_equal(before[:, 16:], after[:, 16:])


def test_inpainting_walks_to_the_known_latents(engine: Engine, photo: Path, half: Path) -> None:
    known = engine.bundle.autoencoder.encode(pixels_of([Image.open(photo)]))
    *_, last = engine.stream(replace(CAT, image=photo, mask=half))
    assert torch.allclose(last.x[..., :4], known[..., :4], atol=1e-4)


def test_masks_that_cannot_be_meant(engine: Engine, photo: Path, tmp_path: Path) -> None:
    for name, image, message in (
        ("small.png", Image.new("L", (8, 8), 255), "must be as large as the image, 32 x 32"),
        ("black.png", Image.new("L", (32, 32)), "white somewhere"),
    ):
        image.save(tmp_path / name)
        with pytest.raises(InvalidRequest, match=message):
            engine.paint(replace(CAT, image=photo, mask=tmp_path / name))


def test_numbers_that_are_not_finite_never_become_a_picture(tiny_folder: Path) -> None:
    bundle = load_bundle(tiny_folder)
    bundle.predictor.conv_out.bias[0] = torch.nan
    with pytest.raises(WeightsError, match="not finite"):
        Engine(bundle, Compute(torch.device("cpu"), torch.float32)).paint(CAT)


def test_half_precision_comes_near(tiny_folder: Path, engine: Engine) -> None:
    rough = Engine(load_bundle(tiny_folder), Compute(torch.device("cpu"), torch.bfloat16)).paint(CAT)[0]
    assert 0 < difference(rough.image, engine.paint(CAT)[0].image) < 60
    assert rough.record.dtype == "bfloat16"


def test_a_painting_remembers_everything(engine: Engine, photo: Path, tmp_path: Path) -> None:
    painting = engine.paint(replace(CAT, image=photo, count=2))[1]
    painting.save(tmp_path / "a.png")
    record = read_record(tmp_path / "a.png")
    assert record == painting.record
    assert record.index == 1
    assert record.inputs.keys() == {photo.as_posix()}
    (batch,) = engine.batches(record.requests)
    assert batch.requests[1] == painting.request
    check(record, engine.bundle)
    photo.write_bytes(b"other")
    with pytest.raises(InvalidRequest, match="its content has changed"):
        check(record, engine.bundle)
    photo.unlink()
    with pytest.raises(InvalidRequest, match="No such file"):
        check(record, engine.bundle)


def test_another_model_is_noticed(engine: Engine) -> None:
    record = engine.paint(CAT)[0].record
    other = replace(engine.bundle, files={**engine.bundle.files, "text.safetensors": "f" * 64})
    with pytest.raises(WeightsError, match=r"painted by another tiny: text\.safetensors was \w{10} and is ffffffffff"):
        check(record, other)


def test_the_parameters_name_the_seed_of_this_picture(engine: Engine) -> None:
    painting = engine.paint(replace(CAT, count=2))[1]
    text = Image.open(BytesIO(painting.png())).info["parameters"]
    assert re.search(r"^Steps: 3, Sampler: Euler, Schedule type: SGM Uniform, CFG scale: 2, Seed: 4,", text, re.M)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("{", "is not JSON"),
        ('{"version":"1","requests":[]}', "a record that has its picture"),
        ('{"version":"1","requests":[{"count":2}],"index":2}', "a record that has its picture"),
        ('{"version":"1","requests":[{}],"threads":9999}', "threads is 9999, but must be a whole number from 1"),
        ('{"version":"1","requests":[{"sampler":"eval()"}]}', "sampler is 'eval"),
        ('{"version":"1","requests":[{}],"code":"import os"}', "code is 'import os', but must be left out"),
    ],
)
def test_foreign_records_are_refused(tmp_path: Path, note: str, message: str) -> None:
    from inkwash.pictures.picture import png

    (tmp_path / "a.png").write_bytes(png(Image.new("RGB", (8, 8)), {"inkwash": note}))
    with pytest.raises(InvalidRequest, match=message):
        read_record(tmp_path / "a.png")


def test_pictures_without_a_record_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(InvalidRequest, match="a PNG that inkwash painted"):
        read_record(tmp_path / "a.png")


def test_a_sheet_records_all_its_pictures(engine: Engine, tmp_path: Path) -> None:
    paintings: list[Painting] = []
    batches = engine.batches([replace(CAT, count=2), replace(CAT, prompt="a dog", steps=2)])
    for batch in batches:
        *_, last = engine.steps(batch)
        paintings += engine.finish(batch, last.x)
    record = engine.record(single for batch in batches for single in batch.requests)
    (tmp_path / "s.png").write_bytes(sheet(paintings, record, 2))
    found = read_record(tmp_path / "s.png")
    assert (found.index, found.columns) == (None, 2)
    assert engine.batches(found.requests) == batches


def test_a_film_has_a_frame_per_step_and_is_the_same_twice(engine: Engine) -> None:
    film = Film(engine)
    for step in engine.stream(replace(CAT, count=2)):
        film.add(step)
    data = film.webp()
    assert animated(film.frames) == data
    movie = Image.open(BytesIO(data))
    assert (movie.n_frames, movie.size) == (3, film.frames[0].size)  # type: ignore[attr-defined]


def test_records_from_before_the_prompt_language_mean_what_they_said(engine: Engine, tmp_path: Path) -> None:
    from inkwash.pictures.picture import png

    note = '{"version":"0","requests":[{"prompt":"a (cat:2) [b|c] <hypernet:x:1>","seed":3}]}'
    (tmp_path / "old.png").write_bytes(png(Image.new("RGB", (8, 8)), {"inkwash": note}))
    (old,) = read_record(tmp_path / "old.png").requests
    assert old.prompt_mode == "literal"
    (painting,) = engine.paint(old)
    assert "prompt_mode" not in painting.record.note()
    painting.save(tmp_path / "new.png")
    assert read_record(tmp_path / "new.png").requests[0].prompt_mode == "literal"


def test_a_plain_prompt_leaves_no_trace_of_the_language(engine: Engine) -> None:
    note = engine.paint(CAT)[0].record.note()
    assert all(field not in note for field in ("prompt_mode", "weighting", "clip_skip"))
