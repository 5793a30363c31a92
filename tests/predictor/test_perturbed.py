import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.predictor.perturbed import perturbed, self_attentions
from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates
from tools.golden.filling import filled

SMALL = UNetSpec((Stage(32, 1), Stage(32, 1), Stage(64, 1)), text_width=16, blocks=1, heads=2)


@pytest.fixture(scope="module")
def network() -> UNet:
    return filled(UNet(SMALL))


def asked(network: UNet) -> torch.Tensor:
    torch.manual_seed(0)
    x, words = torch.randn(1, 4, 8, 8), torch.randn(1, 5, SMALL.text_width)
    with torch.no_grad():
        return network(x, torch.tensor([321.0]), TextStates(words))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layer", ["mid", "down_blocks.1", "up_blocks.1.attentions.0"])
def test_it_is_that_of_diffusers(network: UNet, layer: str) -> None:
    pytest.importorskip("diffusers", reason="comes with the extra `bench`", exc_type=ImportError)
    from diffusers.models.attention_processor import PAGIdentitySelfAttnProcessor2_0

    from benchmarks.rival import rival

    theirs = rival(network).network
    processors = {
        name: PAGIdentitySelfAttnProcessor2_0() if name.startswith(layer) and "attn1" in name else processor
        for name, processor in theirs.attn_processors.items()
    }
    theirs.set_attn_processor(processors)
    torch.manual_seed(0)
    x, words = torch.randn(1, 4, 8, 8), torch.randn(1, 5, SMALL.text_width)
    with torch.no_grad():
        both = theirs(torch.cat([x, x]), torch.tensor([321]), torch.cat([words, words])).sample
    usual, worse = both.chunk(2)
    torch.testing.assert_close(asked(network), usual, atol=1e-5, rtol=1e-4)
    with perturbed(network, (layer,)):
        torch.testing.assert_close(asked(network), worse, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(usual, worse, atol=1e-3)


def test_nothing_is_left_of_it_after_the_block(network: UNet) -> None:
    before = asked(network)
    with perturbed(network, ("mid",)):
        assert not torch.equal(asked(network), before)
    assert torch.equal(asked(network), before)


def test_layers_by_the_beginnings_of_their_names(network: UNet) -> None:
    count = {layer: len(self_attentions(network, (layer,))) for layer in ("mid", "down", "down_blocks.0", "up")}
    assert count == {"mid": 1, "down": 3, "down_blocks.0": 1, "up": 6}
    assert len(self_attentions(network, ("mid", "mid_block", "down"))) == 4
    for wrong in ("down_blocks.", "down_blocks.7", "attn1", "conv_in"):
        with pytest.raises(InvalidRequest, match=r"pag.layers is .*with self-attention: down_blocks.0"):
            self_attentions(network, (wrong,))
