import pytest
import torch
from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.nn.attention import Attention
from inkwash.predictor.attention_maps import AttentionMaps, attention_maps, probabilities
from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import TextStates

TOKENS = 6
SPEC = UNetSpec((Stage(32), Stage(32, 1), Stage(64, 1)), text_width=16, blocks=1, head_width=32, pooled_width=8)


@pytest.fixture
def network() -> UNet:
    torch.manual_seed(0)
    network = UNet(SPEC)
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.05)
    return network.eval()


def inputs() -> tuple[torch.Tensor, torch.Tensor, TextStates]:
    keep = torch.tensor([[True] * 4 + [False] * 2, [True] * TOKENS])
    text = TextStates(torch.randn(2, TOKENS, 16), torch.randn(2, 8), keep)
    return torch.randn(2, 4, 9, 6), torch.tensor([10.0, 700.0]), text


def test_watching_changes_no_bit(network: UNet) -> None:
    asked = inputs()
    with torch.no_grad():
        before = network(*asked)
        with attention_maps(network):
            during = network(*asked)
        after = network(*asked)
    assert torch.equal(before, during)
    assert torch.equal(before, after)


def test_every_cross_attention_is_captured_at_every_call(network: UNet) -> None:
    with torch.no_grad(), attention_maps(network) as maps:
        network(*inputs())
        network(*inputs())
    expected = {name for name, _ in network.named_modules() if name.endswith("attn2")}
    assert maps.calls.keys() == expected
    assert all(len(calls) == 2 for calls in maps.calls.values())
    assert maps.calls["mid_block.attentions.0.transformer_blocks.0.attn2"][0].shape == (2, TOKENS, 3, 2)
    assert maps.calls["down_blocks.1.attentions.0.transformer_blocks.0.attn2"][0].shape == (2, TOKENS, 5, 3)


def test_nothing_is_captured_after_the_block(network: UNet) -> None:
    with attention_maps(network) as maps:
        pass
    network(*inputs())
    assert maps.calls == {}


def test_hooks_go_even_when_the_block_fails(network: UNet) -> None:
    with pytest.raises(KeyError), attention_maps(network):
        raise KeyError
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_tokens_share_every_place_and_padding_gets_nothing(network: UNet) -> None:
    with torch.no_grad(), attention_maps(network) as maps:
        network(*inputs())
    looks = maps.by_token((18, 12))
    assert looks.shape == (2, TOKENS, 18, 12)
    torch.testing.assert_close(looks.sum(dim=1), torch.ones(2, 18, 12))
    assert torch.equal(looks[0, 4:], torch.zeros(2, 18, 12))
    assert (looks[1] > 0).all()


def test_a_word_is_the_sum_of_its_tokens(network: UNet) -> None:
    with torch.no_grad(), attention_maps(network) as maps:
        network(*inputs())
    looks = maps.by_token((8, 8))
    (first, a), (second, b) = maps.of_words([("Rottweiler", [1, 2]), ("dog", [3])], (8, 8))
    assert (first, second) == ("Rottweiler", "dog")
    assert torch.equal(a, looks[:, 1] + looks[:, 2])
    assert torch.equal(b, looks[:, 3])


def test_probabilities_are_those_that_attention_uses() -> None:
    torch.manual_seed(0)
    layer, x, context = Attention(8, 2, 6), torch.randn(2, 5, 8), torch.randn(2, 4, 6)
    keep = torch.tensor([[True, True, False, True], [True] * 4])
    looks = probabilities(layer, x, context, keep)
    gathered = looks @ layer.split(layer.to_v(context))
    by_hand = layer.to_out[0](gathered.transpose(1, 2).flatten(2))
    torch.testing.assert_close(by_hand, layer(x, context, keep))


def test_a_word_that_all_places_see_has_an_even_map() -> None:
    maps = AttentionMaps({"a": [torch.full((1, 4, 3, 3), 0.25)], "b": [torch.full((1, 4, 5, 5), 0.25)]})
    assert torch.equal(maps.by_token((7, 7)), torch.full((1, 4, 7, 7), 0.25))


def test_calls_are_averaged_and_can_be_forgotten() -> None:
    maps = AttentionMaps({"a": [torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2, 2)]})
    assert torch.equal(maps.by_token((2, 2)), torch.full((1, 2, 2, 2), 0.5))
    maps.clear()
    with pytest.raises(InvalidRequest, match="attention maps is 'empty'"):
        maps.by_token((2, 2))
