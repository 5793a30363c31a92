import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import inkwash
from inkwash import GenerateRequest, InvalidRequest, Painter


@pytest.fixture(scope="module")
def painter(tiny_folder: Path) -> Painter:
    return inkwash.load(tiny_folder, device="cpu")


def test_pictures_are_pil_images(painter: Painter) -> None:
    gallery = painter.paint("a photo of a cat", seed=5, count=3)
    assert len(gallery) == 3
    assert [type(image) for image in gallery] == [Image.Image] * 3
    assert gallery[2].tobytes() == list(gallery)[2].tobytes() == gallery.paintings[2].image.tobytes()
    assert gallery.paintings[2].seed == 7


def test_keywords_win_over_the_request(painter: Painter) -> None:
    asked = GenerateRequest(prompt="a cat", seed=1, steps=2, guidance=1.0)
    found = painter.paint(asked, seed=2, steps=3).paintings[0].request
    assert (found.prompt, found.seed, found.steps, found.guidance) == ("a cat", 2, 3, 1.0)


def test_the_request_remembers_the_model(painter: Painter, tiny_folder: Path) -> None:
    assert painter.paint("a cat").paintings[0].request.model == str(tiny_folder)


def test_streaming_takes_a_seed(painter: Painter) -> None:
    one, other = (list(painter.stream("a cat", seed=4))[-1] for _ in range(2))
    assert one.x.equal(other.x)


def test_notebooks_show_a_picture_or_a_sheet(painter: Painter) -> None:
    one, three = painter.paint("a cat"), painter.paint("a cat", count=3)
    assert Image.open(BytesIO(one._repr_png_())).size == (32, 32)
    assert Image.open(BytesIO(three._repr_png_())).size == three.sheet().size
    assert one.paintings[0]._repr_png_() == one._repr_png_()


def test_paintings_save_themselves(painter: Painter, tmp_path: Path) -> None:
    painting = painter.paint("a cat").paintings[0]
    painting.save(tmp_path / "cat.png")
    with Image.open(tmp_path / "cat.png") as saved:
        assert saved.info["parameters"] == painting.parameters


def test_unknown_models_and_devices(tiny_folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="model is 'nothing'"):
        inkwash.load("nothing")
    with pytest.raises(InvalidRequest, match=re.escape("device is 'abacus'")):
        inkwash.load(tiny_folder, device="abacus")
