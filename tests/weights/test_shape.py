import pytest

from inkwash.weights.shape import mmdit_shape, unet_shape
from tools.topology import REFINER, SD, SSD, mmdit, named, unets, vae

NETS = unets()


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
    shape = unet_shape(named(NETS[name]))
    assert shape is not None
    assert (shape.channels, shape.words, shape.linear, shape.blocks) == (channels, words, linear, 2)
    assert (shape.added, shape.labelled, shape.classes, shape.guided) == extras
    assert shape.channels_out == 4


@pytest.mark.parametrize(("name", "depths"), [("sd1", SD), ("sdxl-refiner", REFINER), ("ssd-1b", SSD)])
def test_depths_of_every_site(name: str, depths: object) -> None:
    shape = unet_shape(named(NETS[name]))
    assert shape is not None
    assert shape.depths == depths


def test_numbers_of_a_transformer() -> None:
    shape = mmdit_shape(named(mmdit(24, 384, normed=True, dual=13)))
    assert shape is not None
    assert (shape.depth, shape.width, shape.channels, shape.positions) == (24, 1536, 16, 147456)
    assert (shape.normed, shape.dual, shape.words, shape.pooled) == (True, tuple(range(13)), 4096, 2048)


def test_others_have_no_shape() -> None:
    assert unet_shape(named(vae())) is None
    assert mmdit_shape(named(vae())) is None
