import pytest
import torch

from inkwash.predictor.freeu import Version, freed, louder, scaled_blocks, slowest_scaled
from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates
from tools.golden.filling import filled

SMALL = UNetSpec((Stage(32, 1), Stage(32, 1), Stage(64, 1)), text_width=16, blocks=1, heads=2)

AMOUNTS = ((1.2, 0.9), (1.4, 0.2))


def answer(network: UNet, x: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(x, torch.tensor([321.0]), TextStates(words))


@pytest.mark.filterwarnings("ignore")
def test_it_is_that_of_diffusers() -> None:
    pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    from benchmarks.rival import rival

    ours = filled(UNet(SMALL))
    theirs = rival(ours).network
    torch.manual_seed(0)
    x, words = torch.randn(1, 4, 12, 10), torch.randn(1, 5, SMALL.text_width)
    theirs.enable_freeu(b1=1.2, b2=1.4, s1=0.9, s2=0.2)
    with freed(ours, AMOUNTS, "diffusers"), torch.no_grad():
        found = answer(ours, x, words)
        expected = theirs(x, torch.tensor([321]), words).sample
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found, answer(ours, x, words), atol=1e-2)


def test_nothing_is_left_of_it_after_the_block() -> None:
    network = filled(UNet(SMALL))
    x, words = torch.randn(1, 4, 8, 8), torch.randn(1, 5, SMALL.text_width)
    before = answer(network, x, words)
    with pytest.raises(ZeroDivisionError), freed(network, AMOUNTS, "diffusers"):
        raise ZeroDivisionError
    assert torch.equal(answer(network, x, words), before)
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_slow_waves_shrink_and_quick_ones_stay() -> None:
    place = torch.arange(16) * torch.pi / 8
    still, slow, quick = torch.ones(16), (place).cos(), (4 * place).cos()
    rows = torch.stack([still, slow, quick])[:, None, :, None].expand(3, 1, 16, 16)
    found = slowest_scaled(rows, 0.5)
    torch.testing.assert_close(found[0], rows[0] * 0.5)
    torch.testing.assert_close(found[2], rows[2])
    real = torch.fft.fft2(found[1]).abs().max() / torch.fft.fft2(rows[1]).abs().max()
    assert 0.5 < real <= 1.0  # of a pair of opposite waves the filter takes one
    assert torch.equal(slowest_scaled(rows.half(), 1.0), rows.half())


WIDE = UNetSpec((Stage(32), Stage(64, 1), Stage(128, 1), Stage(128)), text_width=16, blocks=2, heads=2)
"""Widths of Stable Diffusion 1, a tenth of them: what arrives from below is 128 seven times, 64 three times."""


@pytest.mark.parametrize(
    ("version", "widths"),
    [
        ("1", [(128, 1.2)] * 7 + [(64, 1.4)] * 3),
        ("2", [(128, 1.2)] * 7 + [(64, 1.4)] * 3),
        ("diffusers", [(128, 1.2)] * 3 + [(128, 1.4)] * 3),
    ],
)
def test_versions_go_by_widths_or_by_stages(version: Version, widths: list[tuple[int, float]]) -> None:
    found = scaled_blocks(UNet(WIDE), AMOUNTS, version)
    assert [(width, strong) for _, width, (strong, _) in found] == widths


def test_the_second_version_is_loud_where_the_map_is() -> None:
    place = torch.linspace(0.0, 1.0, 4)  # the mean over channels rises from 0 to 1
    backbone = torch.stack([place, place, place, place])[None, :, None, :]
    found = louder(backbone, 1.5, adaptive=True)
    torch.testing.assert_close(found[0, :2, 0], (place * (1 + 0.5 * place)).expand(2, 4))
    assert torch.equal(found[0, 2:], backbone[0, 2:])
    torch.testing.assert_close(louder(backbone, 1.5, adaptive=False)[0, :2], 1.5 * backbone[0, :2])
    flat = torch.ones(1, 4, 2, 2)
    assert torch.equal(louder(flat, 1.5, adaptive=True), flat)


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_change_what_is_told(version: Version) -> None:
    network = filled(UNet(WIDE))
    x, words = torch.randn(1, 4, 16, 16), torch.randn(1, 5, 16)
    before = answer(network, x, words)
    with freed(network, AMOUNTS, version):
        assert not torch.allclose(answer(network, x, words), before, atol=1e-3)
    with freed(network, ((1.0, 1.0), (1.0, 1.0)), version):
        torch.testing.assert_close(answer(network, x, words), before, atol=1e-4, rtol=1e-4)
