import json

import pytest
from PIL import Image

from inkwash.metadata.foreign import Foreign, foreign_of
from inkwash.metadata.invoke import counted


def read(**values: object) -> Foreign:
    image = Image.new("RGB", (8, 8))
    image.info = {"invokeai_metadata": json.dumps({"positive_prompt": "a cat", "steps": 9, **values})}
    found = foreign_of(image)
    assert found is not None
    assert found.program == "InvokeAI"
    return found


def test_groups_take_what_they_can_hold() -> None:
    found = read(cfg_rescale_multiplier=0.7, seamless_x=True, seamless_y=False, rand_device="cuda", strength=0.5)
    assert found.request.rules.rescale == 0.7
    assert found.request.tiling.seamless == "x"
    assert found.request.noise.rng == "philox"
    assert found.rest == {"strength": "0.5"}


def test_off_is_off() -> None:
    found = read(cfg_rescale_multiplier=0, seamless_x=False, seamless_y=False, rand_device="cpu")
    assert (found.request.rules.act, found.request.tiling.seamless, found.request.noise.rng) == (False, "none", "cpu")
    assert not found.rest


@pytest.mark.parametrize(
    "told", [{"cfg_rescale_multiplier": 7}, {"cfg_rescale_multiplier": "much"}, {"rand_device": "mps"}]
)
def test_what_does_not_fit_is_shown(told: dict[str, object]) -> None:
    found = read(**told)
    assert set(found.rest) == set(told)
    assert found.request.rules.rescale == 0
    assert found.request.noise.rng == "cpu"


def test_layers_that_are_left_out_are_counted_from_one() -> None:
    assert read(clip_skip=1, rand_device="cpu").request.clip_skip == 2
    assert counted({"prompt": "a cat", "clip_skip": 1})["clip_skip"] == 1
