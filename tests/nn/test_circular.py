import pytest
import torch
from torch import nn

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY as SPACE
from inkwash.latent.tiny_autoencoder import TinyAutoencoder, TinyAutoencoderSpec
from inkwash.nn.circular import circular, padded_around
from inkwash.predictor.spec import TINY
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates


def stirred(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn(weight.shape))
    return network.eval().requires_grad_(False)


def ask(unet: nn.Module, x: torch.Tensor) -> torch.Tensor:
    words = TextStates(torch.ones(1, 3, 16))
    return unet(x, torch.tensor([500.0]), words)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("axes", "moved"), [((True, True), (4, 8)), ((True, False), (0, 4)), ((False, True), (4, 0))])
def test_a_rolled_latent_gives_the_rolled_answer(axes: tuple[bool, bool], moved: tuple[int, int]) -> None:
    unet, x = stirred(UNet(TINY)), torch.randn(1, 4, 16, 16)
    rolled = torch.roll(x, moved, (2, 3))
    with circular(unet, *axes):
        torch.testing.assert_close(ask(unet, rolled), torch.roll(ask(unet, x), moved, (2, 3)), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(ask(unet, rolled), torch.roll(ask(unet, x), moved, (2, 3)), atol=1e-3)


@pytest.mark.parametrize("space", [Autoencoder(SPACE), TinyAutoencoder(TinyAutoencoderSpec(4, 8, (1, 1), (1, 1)))])
def test_and_so_do_both_ways_through_the_autoencoder(space: nn.Module) -> None:
    space, factor = stirred(space), space.spec.factor  # type: ignore[union-attr]
    latents = torch.randn(1, 4, 8, 8)
    with circular(space):
        pixels = space.decode(latents)  # type: ignore[operator]
        again = space.decode(torch.roll(latents, (2, 4), (2, 3)))  # type: ignore[operator]
        torch.testing.assert_close(again, torch.roll(pixels, (2 * factor, 4 * factor), (2, 3)), atol=1e-4, rtol=1e-4)  # type: ignore[operator]
        seen = space.encode(pixels)  # type: ignore[operator]
        torch.testing.assert_close(space.encode(again), torch.roll(seen, (2, 4), (2, 3)), atol=1e-3, rtol=1e-3)  # type: ignore[operator]


def test_the_network_is_what_it_was_once_the_block_is_left() -> None:
    unet, x = stirred(UNet(TINY)), torch.randn(1, 4, 8, 8)
    before, state = ask(unet, x), [*unet.state_dict()]
    with circular(unet):
        assert [*unet.state_dict()] == state
        assert not torch.equal(ask(unet, x), before)
    assert torch.equal(ask(unet, x), before)
    with pytest.raises(RuntimeError), circular(unet):
        ask(unet, torch.randn(1, 5, 8, 8))
    assert torch.equal(ask(unet, x), before)


def test_padding_along_one_axis() -> None:
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert padded_around(x, (1, 1, 1, 0), True, False)[0, 0].tolist() == [[0, 0, 0, 0], [1, 0, 1, 0], [3, 2, 3, 2]]
    assert padded_around(x, (1, 0, 1, 0), False, True)[0, 0].tolist() == [[0, 2, 3], [0, 0, 1], [0, 2, 3]]
