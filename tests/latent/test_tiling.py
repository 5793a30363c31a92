"""Tiles against the whole: exact where the network sees no further than the margin."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkwash.errors import InvalidRequest
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY, AutoencoderSpec
from inkwash.latent.tiling import Tiles, decode_tiled, encode_tiled, feathers, windowed
from inkwash.rng import NoiseSource
from inkwash.types import TextStates

SEES = 5
"""How many latents the tiny decoder looks to each side; its encoder looks no further."""
WIDE_ENOUGH = Tiles(size=24, overlap=12, margin=SEES)


def lively(spec: AutoencoderSpec = TINY) -> Autoencoder:
    """Random weights everywhere: the blocks that start as zero would hide what they see."""
    torch.manual_seed(0)
    model = Autoencoder(spec).eval().requires_grad_(False)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=weights[0].numel() ** -0.5)
    return model


@pytest.mark.parametrize("shape", [(40, 61), (24, 25), (10, 50), (24, 24), (7, 9)])
def test_decoding_in_tiles_is_decoding_the_whole(shape: tuple[int, int]) -> None:
    model, latents = lively(), torch.randn(2, 4, *shape)
    torch.testing.assert_close(decode_tiled(model, latents, WIDE_ENOUGH), model.decode(latents), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(40, 61), (24, 25), (10, 50), (7, 9)])
def test_encoding_in_tiles_is_encoding_the_whole(shape: tuple[int, int]) -> None:
    model = lively()
    pixels = torch.rand(2, 3, shape[0] * TINY.factor, shape[1] * TINY.factor) * 2 - 1
    torch.testing.assert_close(encode_tiled(model, pixels, tiles=WIDE_ENOUGH), model.encode(pixels))


def test_the_draw_is_made_once_for_the_whole_picture() -> None:
    model, pixels = lively(), torch.rand(2, 3, 128, 160) * 2 - 1
    tiled = encode_tiled(model, pixels, NoiseSource.seeded([1, 2]), WIDE_ENOUGH)
    torch.testing.assert_close(tiled, model.encode(pixels, NoiseSource.seeded([1, 2])))


def test_without_margin_only_the_seams_differ() -> None:
    model, latents = lively(), torch.randn(1, 4, 20, 64)
    tiles = Tiles(size=36, overlap=8, margin=0)
    assert tiles.starts(64) == [0, 28]
    off = (decode_tiled(model, latents, tiles) - model.decode(latents)).abs().amax(dim=(0, 1, 2))
    factor = TINY.factor
    seam = off[(28 - SEES) * factor : (36 + SEES) * factor]
    away = torch.cat([off[: (28 - SEES) * factor], off[(36 + SEES) * factor :]])
    assert away.max() < 1e-5
    assert seam.max() > 1e-3


def test_a_network_with_norms_over_the_whole_map_comes_close() -> None:
    spec = AutoencoderSpec(channels=(16, 32), encoder_blocks=(1, 1), decoder_blocks=(1, 1), groups=4, latent_std=(1.0,))
    model, latents = lively(spec), torch.randn(1, 4, 48, 48)
    whole = model.decode(latents)
    off = (decode_tiled(model, latents, Tiles(size=32, overlap=12, margin=4)) - whole).square().mean().sqrt()
    assert off < 0.1 * whole.std()


@settings(deadline=None)
@given(
    length=st.integers(1, 200),
    size=st.integers(2, 40),
    overlap=st.integers(0, 39),
    margin=st.integers(0, 19),
    finer=st.sampled_from([1, 4]),
)
def test_weights_are_a_partition_of_unity(length: int, size: int, overlap: int, margin: int, finer: int) -> None:
    overlap = min(overlap, size - 1)
    tiles = Tiles(size, overlap, min(margin, overlap // 2))
    weights = feathers(tiles, length, finer)
    place = (torch.arange(length * finer) + 0.5) / finer
    torch.testing.assert_close(weights.sum(0), torch.ones(length * finer))
    assert weights.min() >= 0
    for start, weight in zip(tiles.starts(length), weights, strict=True):
        inside = (place > start + tiles.margin * bool(start)) & (
            place < start + size - tiles.margin * (start + size < length)
        )
        assert not weight[~inside].any(), "a tile counts beyond what it knows"


@settings(deadline=None)
@given(length=st.integers(1, 500), size=st.integers(2, 64), overlap=st.integers(0, 63))
def test_tiles_cover_the_side_and_overlap_as_told(length: int, size: int, overlap: int) -> None:
    tiles = Tiles(size, min(overlap, size - 1), 0)
    starts = tiles.starts(length)
    assert starts[0] == 0
    assert starts[-1] == max(length - size, 0)
    assert all(size - (after - before) >= tiles.overlap - 1 for before, after in pairwise(starts))


@pytest.mark.parametrize(
    ("size", "overlap", "margin", "words"),
    [
        (8, 8, 0, "tile overlap is 8, but must be from 0 to 7"),
        (8, 4, 3, "tile margin is 3, but must be from 0 to 2"),
    ],
)
def test_impossible_tiles_are_refused(size: int, overlap: int, margin: int, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        Tiles(size, overlap, margin)


def told(x: torch.Tensor, t: torch.Tensor, text: TextStates) -> torch.Tensor:
    """A network that answers every place by itself, and what is beside it."""
    beside = 0 if text.beside is None else text.beside
    return x.sin() + t.reshape(-1, 1, 1, 1) + beside


def test_one_window_over_everything_is_the_plain_network() -> None:
    calls = []

    def counted(x: torch.Tensor, t: torch.Tensor, text: TextStates) -> torch.Tensor:
        calls.append(x.shape)
        return told(x, t, text)

    x, t, words = torch.randn(2, 4, 12, 9), torch.tensor([1.0, 2.0]), TextStates(torch.zeros(2, 1, 4))
    assert torch.equal(windowed(counted, Tiles(12, 4, 0))(x, t, words), told(x, t, words))
    assert calls == [x.shape]


def test_a_network_that_sees_single_places_is_the_same_in_windows() -> None:
    x, t = torch.randn(2, 4, 21, 34), torch.tensor([1.0, 2.0])
    words = TextStates(torch.zeros(2, 1, 4), beside=torch.randn(2, 1, 21, 34))
    torch.testing.assert_close(windowed(told, Tiles(8, 4, 1))(x, t, words), told(x, t, words))


def test_windows_are_blended_smoothly() -> None:
    def place(x: torch.Tensor, _t: torch.Tensor, _text: TextStates) -> torch.Tensor:
        return x.mean((1, 2, 3), keepdim=True).expand_as(x)

    x = torch.zeros(1, 1, 8, 16)
    x[..., 8:] = 1
    row = windowed(place, Tiles(8, 6, 0))(x, torch.ones(1), TextStates(torch.zeros(1, 1, 4)))[0, 0, 0]
    steps = row.diff()
    assert (row[0], row[-1]) == (0, 1)
    assert bool((steps >= -1e-6).all())
    assert steps.max() < 0.25
