"""T5's encoder against the released one, and against sums written out."""

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu

from inkwash.text.t5 import T5_XXL, GatedGelu, RelativeAttention, T5Encoder, T5Spec, buckets, twice_named
from tools.golden.filling import filled

SMALL = T5Spec(16, 2, 2, 4, 24, 20)


def on_meta(spec: T5Spec) -> T5Encoder:
    with torch.device("meta"):
        return T5Encoder(spec)


def test_xxl_has_the_released_size_and_constants() -> None:
    encoder = on_meta(T5_XXL)
    assert sum(weight.numel() for weight in encoder.parameters()) == 4_762_310_656
    assert len(encoder.state_dict()) == 220
    norms = [module for module in encoder.modules() if isinstance(module, nn.RMSNorm)]
    assert len(norms) == 2 * 24 + 1
    assert all(norm.eps == 1e-6 for norm in norms)
    tables = [name for name in encoder.state_dict() if "relative_attention_bias" in name]
    assert tables == ["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    assert [name for name in encoder.state_dict() if name.endswith("bias")] == []


def test_distances_are_exact_when_near_and_coarse_when_far() -> None:
    distance = torch.tensor([[0, -1, 1, -7, 7, -8, -11, -12, -16, -64, -127, -1000, 90, 1000]])
    assert buckets(distance, T5Spec()).tolist() == [[0, 1, 17, 7, 23, 8, 8, 9, 10, 14, 15, 15, 30, 31]]


def test_attention_adds_preferences_and_does_not_scale() -> None:
    torch.manual_seed(0)
    layer, x = RelativeAttention(SMALL, first=True), torch.randn(1, 5, 16)
    q, k, v = (part(x).reshape(5, 2, 4).transpose(0, 1) for part in (layer.q, layer.k, layer.v))
    distance = torch.arange(5)[None] - torch.arange(5)[:, None]
    scores = q @ k.transpose(1, 2) + layer.relative_attention_bias.weight[buckets(distance, SMALL)].permute(2, 0, 1)
    wanted = layer.o((scores.softmax(dim=2) @ v).transpose(0, 1).reshape(1, 5, 8))
    torch.testing.assert_close(layer(x, layer.preference(5)), wanted)


def test_the_gate_is_the_form_with_tanh() -> None:
    torch.manual_seed(0)
    part, x = GatedGelu(SMALL), torch.randn(2, 16)
    assert torch.equal(part(x), part.wo(gelu(part.wi_0(x), approximate="tanh") * part.wi_1(x)))
    assert not torch.equal(part(x), part.wo(gelu(part.wi_0(x)) * part.wi_1(x)))


def test_every_token_sees_all_others_but_those_that_are_masked() -> None:
    encoder = filled(T5Encoder(SMALL))
    tokens, changed = torch.tensor([[3, 4, 5, 1, 0]]), torch.tensor([[3, 4, 5, 1, 7]])
    keep = torch.tensor([[True] * 4 + [False]])
    with torch.no_grad():
        assert not torch.allclose(encoder(tokens).states[:, 0], encoder(changed).states[:, 0])
        masked = encoder(tokens, keep).states[:, :4]
        assert torch.equal(masked, encoder(changed, keep).states[:, :4])
        torch.testing.assert_close(masked, encoder(tokens[:, :4]).states)


def test_there_is_no_pooled_vector() -> None:
    assert T5Encoder(SMALL)(torch.tensor([[3, 1]])).pooled is None


@pytest.mark.parametrize("name", ["shared.weight", "encoder.embed_tokens.weight"])
def test_one_name_of_the_table_is_enough(name: str) -> None:
    torch.manual_seed(0)
    one, other = T5Encoder(SMALL), T5Encoder(SMALL)
    names = {"shared.weight", "encoder.embed_tokens.weight"}
    state = {key: value for key, value in one.state_dict().items() if key not in names - {name}}
    other.load_state_dict(twice_named(state))
    assert torch.equal(other.shared.weight, one.shared.weight)
    assert twice_named({}) == {}


def test_weights_can_be_taken_over_without_a_copy() -> None:
    kept, empty = filled(T5Encoder(SMALL)).state_dict(), on_meta(SMALL)
    del kept["encoder.embed_tokens.weight"]
    empty.load_state_dict(twice_named(kept), assign=True)
    assert all(
        tensor.data_ptr() == kept[name].data_ptr() for name, tensor in empty.state_dict().items() if name in kept
    )
    assert empty.encoder.embed_tokens.weight is empty.shared.weight


def test_half_precision_stays_near() -> None:
    encoder, tokens = filled(T5Encoder(SMALL)), torch.tensor([[3, 4, 5, 1, 0]])
    with torch.no_grad():
        whole, half = encoder(tokens).states, encoder.bfloat16()(tokens).states
    assert half.dtype == torch.bfloat16
    assert (half.float() - whole).abs().max() < 0.05 * whole.abs().max()
