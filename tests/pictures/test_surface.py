from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inkwash.errors import InvalidRequest
from inkwash.metadata.record import read_record
from inkwash.pictures.surface import around, surface
from inkwash.pipeline.engine import Engine
from inkwash.pipeline.resolve import resolved
from inkwash.pipeline.start import start
from inkwash.request.generate import GenerateRequest
from inkwash.request.inpaint import FILLS, Fill, Inpaint, Outpaint
from inkwash.weights.plain import built

CAT = GenerateRequest(prompt="a photo of a cat", seed=3)


@pytest.fixture
def large(tmp_path: Path) -> GenerateRequest:
    """A photograph of 96 x 64 pixels with a hole of 20 x 12."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    hole = Image.new("L", (96, 64))
    hole.paste(255, (60, 20, 80, 32))
    hole.save(tmp_path / "hole.png")
    return replace(CAT, image=tmp_path / "large.png", mask=tmp_path / "hole.png", width=32, height=32)


def pixels(image: Image.Image | Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    return np.asarray(image if isinstance(image, Image.Image) else Image.open(image), dtype=np.int16)


@pytest.mark.parametrize(
    ("bounds", "padding", "size", "box"),
    [
        ((60, 20, 80, 32), 0, (32, 32), (60, 16, 80, 36)),  # as high as wide
        ((60, 20, 80, 32), 4, (64, 32), (50, 16, 90, 36)),  # wider than the hole wants
        ((0, 0, 10, 10), 8, (32, 32), (0, 0, 18, 18)),  # in the corner
        ((90, 0, 96, 40), 0, (32, 32), (56, 0, 96, 40)),  # moved in from the edge
        ((0, 0, 96, 64), 9, (32, 32), (0, 0, 96, 64)),  # there is no more room
    ],
)
def test_the_box_around_a_hole(
    bounds: tuple[int, int, int, int], padding: int, size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    assert around(bounds, padding, size, (96, 64)) == box


def test_only_the_masked_part_is_painted_at_full_size(engine: Engine, large: GenerateRequest) -> None:
    asked = replace(large, inpaint=Inpaint(only_masked=True, padding=4))
    paper = surface(asked)
    assert (paper.box, paper.photo.size, paper.trimmed) == ((56, 12, 84, 40), (32, 32), (96, 64))
    painted, before = pixels(engine.paint(asked)[0].image), pixels(asked.image or Path())
    changed = (painted != before).any(-1)
    assert changed[20:32, 60:80].mean() > 0.9
    changed[20:32, 60:80] = False
    assert not changed.any()


def test_what_is_put_back_is_the_painting_made_smaller(large: GenerateRequest) -> None:
    paper = surface(replace(large, inpaint=Inpaint(only_masked=True, padding=4)))
    red = paper.finished(Image.new("RGB", (32, 32), "red"))
    assert {red.getpixel((60, 20)), red.getpixel((79, 31))} == {(255, 0, 0)}
    assert red.getpixel((59, 20)) == paper.whole.getpixel((59, 20))


def test_a_blurred_edge_mixes_and_far_from_it_nothing_changes(large: GenerateRequest) -> None:
    paper = surface(replace(large, width=96, height=64, inpaint=Inpaint(blur=2)))
    assert paper.hole is not None
    assert 100 < (paper.hole.getpixel((60, 26)) or 0) < 155  # type: ignore[operator]  half of white at the edge
    painted = paper.finished(Image.new("RGB", (96, 64), "red"))
    assert painted.getpixel((70, 26)) == (255, 0, 0)
    assert painted.crop((0, 0, 50, 64)).tobytes() == paper.whole.crop((0, 0, 50, 64)).tobytes()


def test_an_inverted_mask_keeps_what_was_painted(engine: Engine, photo: Path, half: Path) -> None:
    asked = replace(CAT, image=photo, mask=half, inpaint=Inpaint(invert=True))
    painted, before = pixels(engine.paint(asked)[0].image), pixels(photo)
    assert np.array_equal(painted[:, 16:], before[:, 16:])
    assert not np.array_equal(painted[:, :16], before[:, :16])


def test_what_stands_in_the_hole_to_begin_with(engine: Engine, photo: Path, half: Path) -> None:
    def known(fill: Fill) -> torch.Tensor:
        asked = replace(CAT, image=photo, mask=half, strength=0.5, count=2, inpaint=Inpaint(fill=fill))
        begin = start(engine.batches([asked])[0], engine.bundle, torch.device("cpu"))
        assert begin.known is not None
        return begin.known

    original, blurred, noise, nothing = (known(fill) for fill in FILLS)
    assert (nothing[..., 4:] == 0).all()
    assert torch.equal(nothing[..., :4], original[..., :4])
    assert torch.equal(noise[..., :4], original[..., :4])
    assert noise[..., 4:].std().item() == pytest.approx(1, abs=0.15)
    assert not torch.equal(noise[0], noise[1])
    assert not torch.equal(blurred[..., 4:], original[..., 4:])


def test_greys_are_strengths(engine: Engine, photo: Path, tmp_path: Path) -> None:
    greys = Image.new("L", (32, 32))
    greys.paste(128, (8, 0, 20, 32))
    greys.paste(255, (20, 0, 32, 32))
    greys.save(tmp_path / "greys.png")
    asked = replace(CAT, image=photo, mask=tmp_path / "greys.png", steps=6, inpaint=Inpaint(soft=True))
    (batch,) = engine.batches([asked])
    begin = start(batch, engine.bundle, torch.device("cpu"))
    assert begin.known is not None
    steps = list(engine.steps(batch))
    level = [engine.bundle.schedule.t(torch.tensor(step.sigma)).item() / 1000 for step in steps]
    for step, left in zip(steps, level, strict=True):
        free = (step.denoised != begin.known).flatten(0, 2).any(0)
        assert not free[:2].any()
        assert free[2:5].all() == (left < 128 / 255 * level[0])
        assert free[5:].all()
    painted, before = pixels(engine.finish(batch, steps[-1].x)[0].image), pixels(photo)
    assert np.array_equal(painted[:, :8], before[:, :8])


def test_outpainting_keeps_the_middle_to_the_last_bit(engine: Engine, photo: Path, tmp_path: Path) -> None:
    asked = replace(CAT, image=photo, outpaint=Outpaint(left=10, up=3, down=6))
    painting = engine.paint(asked)[0]
    assert painting.image.size == (42, 41)
    assert (painting.request.width, painting.request.height, painting.request.strength) == (44, 44, 0.8)
    painted = pixels(painting.image)
    assert np.array_equal(painted[3:35, 10:], pixels(photo))
    assert painted[:, :10].std() > 0
    painting.save(tmp_path / "a.png")
    assert engine.paint(read_record(tmp_path / "a.png").requests[0])[0].png() == painting.png()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inpaint": Inpaint(blur=2)}, "inpaint is .* left out: there is no mask"),
        ({"inpaint": Inpaint(only_masked=True), "outpaint": Outpaint(left=4)}, "mask is None, but must be given"),
        ({"outpaint": Outpaint(left=8), "width": 32}, "width is 32, but must be left out, or 40"),
    ],
)
def test_what_cannot_be_meant(engine: Engine, photo: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        resolved(replace(CAT, image=photo, **change), engine.bundle)  # type: ignore[arg-type]


def test_outpainting_wants_a_picture() -> None:
    with pytest.raises(InvalidRequest, match=r"outpaint is .* given together with an image"):
        replace(CAT, outpaint=Outpaint(up=1))
    with pytest.raises(InvalidRequest, match=r"inpaint.fill is 'red', but must be one of original, blurred"):
        built(Inpaint, {"fill": "red"}, "inpaint")
