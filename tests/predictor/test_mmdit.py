"""The transformer of SD 3 against the released ones: sizes, names, constants; and what it may not do."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from inkwash.denoiser import NoisePredictor
from inkwash.errors import InvalidRequest
from inkwash.predictor.joint import AdaptiveNorm, JointAttention, Mlp
from inkwash.predictor.mmdit import MMDiT, Patches, positions
from inkwash.predictor.mmdit_spec import SD3_MEDIUM, SD35_LARGE, SD35_MEDIUM, TINY_MMDIT, MMDiTSpec
from inkwash.types import TextStates
from tools.golden.filling import filled

TABLES = {
    "tiny": TINY_MMDIT,
    "as SD 3": replace(TINY_MMDIT, qk_norm=False, dual=()),
    "one block": replace(TINY_MMDIT, depth=1, dual=()),
    "dual to the end": replace(TINY_MMDIT, dual=(0, 1)),
    "patches of four": replace(TINY_MMDIT, patch=4),
    "other channels": replace(TINY_MMDIT, channels_in=9, channels_out=8),
}
T = torch.tensor([3.0, 900.0])


def words(spec: MMDiTSpec, tokens: int = 5) -> TextStates:
    return TextStates(torch.randn(2, tokens, spec.text_width), torch.randn(2, spec.pooled_width))


def on_meta(spec: MMDiTSpec) -> MMDiT:
    with torch.device("meta"):
        return MMDiT(spec)


def drawn(spec: MMDiTSpec = TINY_MMDIT) -> MMDiT:
    return filled(MMDiT(spec))


@pytest.mark.parametrize(
    ("spec", "parameters", "tensors", "places"),
    [
        (SD3_MEDIUM, 2_028_328_000, 683, 36_864),
        (SD35_MEDIUM, 2_243_171_520, 909, 147_456),
        (SD35_LARGE, 8_056_627_520, 1227, 36_864),
    ],
)
def test_released_networks_have_their_numbers(spec: MMDiTSpec, parameters: int, tensors: int, places: int) -> None:
    network = on_meta(spec)
    assert sum(weight.numel() for weight in network.parameters()) == parameters
    assert len(network.state_dict()) == tensors
    assert network.state_dict()["pos_embed.pos_embed"].shape == (1, places, spec.width)


@pytest.mark.parametrize("spec", [SD3_MEDIUM, SD35_MEDIUM, SD35_LARGE, TINY_MMDIT])
def test_every_norm_has_the_released_eps_and_attention_its_heads(spec: MMDiTSpec) -> None:
    norms, heads = {nn.LayerNorm: 0, nn.RMSNorm: 0}, 0
    for name, module in on_meta(spec).named_modules():
        if isinstance(module, nn.LayerNorm):
            assert (module.eps, module.elementwise_affine, module.normalized_shape) == (1e-6, False, (spec.width,)), (
                name
            )
            norms[nn.LayerNorm] += 1
        elif isinstance(module, nn.RMSNorm):
            assert (module.eps, module.normalized_shape) == (1e-6, (spec.head_width,)), name
            norms[nn.RMSNorm] += 1
        elif isinstance(module, JointAttention):
            assert module.heads == spec.heads, name
            assert spec.width // module.heads == spec.head_width
            heads += 1
    assert norms[nn.LayerNorm] == 4 * spec.depth  # the last block has one less, the end one more
    assert norms[nn.RMSNorm] == (4 * spec.depth + 2 * len(spec.dual) if spec.qk_norm else 0)
    assert heads == spec.depth + len(spec.dual)


def test_the_step_tells_what_the_paper_says_it_does() -> None:
    parts = {
        name: module.parts for name, module in on_meta(SD35_MEDIUM).named_modules() if isinstance(module, AdaptiveNorm)
    }
    assert [parts[f"transformer_blocks.{index}.norm1"] for index in range(24)] == [9] * 13 + [6] * 11
    assert [parts[f"transformer_blocks.{index}.norm1_context"] for index in range(24)] == [6] * 23 + [2]
    assert parts["norm_out"] == 2


def test_the_perceptron_uses_the_form_with_tanh() -> None:
    torch.manual_seed(0)
    mlp, x = Mlp(8), torch.randn(2, 3, 8)
    inner = mlp.net[0].proj(x)
    assert torch.equal(mlp(x), mlp.net[2](functional.gelu(inner, approximate="tanh")))
    assert not torch.equal(mlp(x), mlp.net[2](functional.gelu(inner)))


def test_it_is_a_noise_predictor() -> None:
    assert isinstance(drawn(), NoisePredictor)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_builds_and_learns(name: str) -> None:
    torch.manual_seed(0)
    spec = TABLES[name]
    network = filled(MMDiT(spec)).requires_grad_(True).train()
    out = network(torch.randn(2, spec.channels_in, 8, 12), T, words(spec))
    out.square().mean().backward()
    assert out.shape == (2, spec.channels_out, 8, 12)
    unused = [key for key, weight in network.named_parameters() if weight.grad is None]
    last = f"transformer_blocks.{spec.depth - 1}.attn."
    wanted = {f"{last}add_q_proj.weight", f"{last}add_q_proj.bias"}  # released, though words ask nothing there any more
    assert set(unused) == wanted | ({f"{last}norm_added_q.weight"} if spec.qk_norm else set())


def test_starts_as_the_constant_zero() -> None:
    torch.manual_seed(0)
    out = MMDiT(TINY_MMDIT)(torch.randn(2, 4, 8, 8), T, words(TINY_MMDIT))
    assert torch.equal(out, torch.zeros_like(out))


def test_words_step_and_pooled_prompt_steer_the_answer() -> None:
    torch.manual_seed(0)
    network, x, text = drawn(), torch.randn(2, 4, 8, 8), words(TINY_MMDIT)
    with torch.no_grad():
        base = network(x, T, text)
        assert not torch.allclose(base, network(x, T + 50, text))
        assert not torch.allclose(base, network(x, T, replace(text, states=text.states.flip(0))))
        assert not torch.allclose(base, network(x, T, replace(text, pooled=-text.pooled)))


def test_padding_that_is_masked_has_no_say() -> None:
    torch.manual_seed(0)
    network, x, text = drawn(), torch.randn(2, 4, 8, 8), words(TINY_MMDIT)
    keep = torch.tensor([[True] * 3 + [False] * 2] * 2)
    other = text.states.clone()
    other[:, 3:] = 100
    with torch.no_grad():
        masked = network(x, T, replace(text, keep=keep))
        assert torch.equal(masked, network(x, T, replace(text, states=other, keep=keep)))
        short = replace(text, states=text.states[:, :3])
        torch.testing.assert_close(masked, network(x, T, short), atol=1e-5, rtol=1e-5)


def test_a_skipped_block_is_not_asked() -> None:
    torch.manual_seed(0)
    network, x, text = drawn(), torch.randn(2, 4, 8, 8), words(TINY_MMDIT)
    with torch.no_grad():
        whole, skipped = network(x, T, text), network(x, T, text, skip=(0,))
        for weight in network.transformer_blocks[0].parameters():
            weight.zero_()
        assert not torch.allclose(whole, skipped)
        assert torch.equal(skipped, network(x, T, text, skip=(0,)))
        torch.testing.assert_close(skipped, network(x, T, text))  # a block of zeros is its skip


def test_a_patch_goes_where_it_came_from() -> None:
    """With nothing but the first and the last layer, and weights that copy, the picture comes back."""
    spec = replace(TINY_MMDIT, channels_in=2, channels_out=2)
    network, x = MMDiT(spec), torch.randn(1, 2, 4, 6)
    rows = torch.eye(8).reshape(8, 2, 2, 2)  # the features of a patch: channel, line, column
    with torch.no_grad():
        network.pos_embed.proj.weight.zero_()[:8] = rows
        network.pos_embed.proj.bias.zero_()
        network.pos_embed.pos_embed.zero_()
        network.norm_out.norm = nn.Identity()
        network.proj_out.weight.zero_()[:, :8] = rows.permute(2, 3, 1, 0).reshape(8, 8)  # line, column, channel
        found = network(x, T[:1], words(spec)[:1], skip=range(2))
    assert torch.equal(found, x)


def test_positions_are_told_by_column_then_by_row() -> None:
    spec = replace(TINY_MMDIT, heads=2, head_width=4, positions=4, side=2)
    table = positions(spec).unflatten(1, (4, 4))[0]
    for row in range(4):
        for column in range(4):
            angles = torch.tensor([place / 2 * scale for place in (column, row) for scale in (1.0, 0.01)])
            wanted = torch.cat([angles[:2].sin(), angles[:2].cos(), angles[2:].sin(), angles[2:].cos()])
            torch.testing.assert_close(table[row, column], wanted)


def test_a_small_picture_takes_the_middle_of_the_table() -> None:
    spec = replace(TINY_MMDIT, positions=8)
    patches = Patches(spec)
    with torch.no_grad():
        patches.proj.weight.zero_()
        patches.proj.bias.zero_()
        found = patches(torch.zeros(1, 4, 8, 6)).unflatten(1, (4, 3))
    table = positions(spec).unflatten(1, (8, 8))
    assert torch.equal(found, table[:, 2:6, 2:5])


@pytest.mark.parametrize(("size", "wanted"), [((8, 7), "multiple of 2"), ((50, 8), "at most 48")])
def test_what_cannot_be_cut_or_placed_is_refused(size: tuple[int, int], wanted: str) -> None:
    with pytest.raises(InvalidRequest, match=wanted):
        drawn()(torch.zeros(2, 4, *size), T, words(TINY_MMDIT))


def test_a_prompt_without_a_pooled_vector_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="pooled to 12 numbers"):
        drawn()(torch.zeros(2, 4, 8, 8), T, TextStates(torch.zeros(2, 5, 16)))


def test_half_precision_stays_near() -> None:
    torch.manual_seed(0)
    network, x, text = drawn(), torch.randn(2, 4, 8, 8), words(TINY_MMDIT)
    with torch.no_grad():
        whole = network(x, T, text)
        half = network.bfloat16()(x.bfloat16(), T, text.to("cpu", torch.bfloat16))
    assert half.dtype == torch.bfloat16
    assert (half.float() - whole).abs().max() < 0.03 * whole.abs().max()


def test_weights_can_be_taken_over_without_a_copy() -> None:
    kept, empty = drawn().state_dict(), on_meta(TINY_MMDIT)
    empty.load_state_dict(kept, assign=True)
    assert all(tensor.data_ptr() == kept[name].data_ptr() for name, tensor in empty.state_dict().items())
