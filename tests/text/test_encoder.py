"""The text transformer against the released ones: sizes, names, and numbers made by transformers."""

import json
import math
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.nn.tower import Mlp, SelfAttention, quick_gelu
from inkwash.text.encoder import (
    CLIP_L,
    CLIP_L_SD3,
    CLIP_L_XL,
    OPENCLIP_BIGG,
    OPENCLIP_H,
    PETS_TEXT,
    TextEncoder,
    TextSpec,
)

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "clip.json").read_text())
IDS = torch.tensor([[98, 5, 7, 11, 13, 17, 19, 99] + [99] * 69, [98, 3, 99] + [0] * 74])
NARROW = TextSpec(64, 4, 4, vocabulary=100, end=99)
SMALL = TextSpec(16, 2, 2, tokens=8, vocabulary=20, end=19)


def filled(encoder: TextEncoder, prefix: str) -> TextEncoder:
    """Weights by a rule that goes by their names, so that two implementations can agree without a file."""
    with torch.no_grad():
        for name, weight in encoder.state_dict().items():
            key = name if name.startswith("text_projection") else prefix + name
            r = torch.randn(weight.shape, generator=torch.Generator().manual_seed(zlib.crc32(key.encode())))
            norm = key.endswith(".weight") and "norm" in key.split(".")[-2]
            if r.ndim > 1:
                weight.copy_(r * 0.5 if "embedding.weight" in key else r / math.sqrt(r[0].numel()))
            else:
                weight.copy_(1 + 0.1 * r if norm else 0.1 * r)
    return encoder


@pytest.mark.parametrize(
    ("name", "spec", "prefix"),
    [
        ("clip.l.last", replace(NARROW, activation="quick_gelu"), ""),
        ("clip.g.h-2", replace(NARROW, projection=40, skip=1, normed=False), "text_model."),
    ],
)
def test_states_are_those_of_transformers(name: str, spec: TextSpec, prefix: str) -> None:
    encoder, golden = filled(TextEncoder(spec), prefix), GOLDEN[name]
    lines = sorted(
        f"{key if key.startswith('text_projection') else prefix + key} {list(value.shape)}"
        for key, value in encoder.state_dict().items()
    )
    assert zlib.crc32("\n".join(lines).encode()) == golden["keys_crc"]
    with torch.no_grad():
        states = encoder(IDS).states
    picked = states.flatten()[:: golden["stride"]]
    assert (picked - torch.tensor(golden["values"])).abs().max() <= 1e-5 * golden["largest"]
    assert states.double().abs().sum().item() == pytest.approx(golden["sum_abs"], rel=1e-5)


RELEASED = {
    "CLIP-L": (CLIP_L, 123_060_480, 196),
    "CLIP-L of SDXL": (CLIP_L_XL, 123_060_480, 196),
    "CLIP-L of SD 3": (CLIP_L_SD3, 123_650_304, 197),
    "OpenCLIP-H": (OPENCLIP_H, 340_387_840, 372),
    "OpenCLIP-bigG": (OPENCLIP_BIGG, 694_659_840, 517),
}


def on_meta(spec: TextSpec) -> TextEncoder:
    with torch.device("meta"):
        return TextEncoder(spec)


@pytest.mark.parametrize("name", RELEASED)
def test_released_encoders_have_their_sizes(name: str) -> None:
    spec, parameters, tensors = RELEASED[name]
    encoder = on_meta(spec)
    assert sum(weight.numel() for weight in encoder.parameters()) == parameters
    assert len(encoder.state_dict()) == tensors


@pytest.mark.parametrize("spec", [spec for spec, _, _ in RELEASED.values()] + [PETS_TEXT])
def test_every_norm_has_the_released_eps_and_every_layer_its_activation(spec: TextSpec) -> None:
    encoder = on_meta(spec)
    norms = [module for module in encoder.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 2 * spec.layers + 1
    assert all(norm.eps == 1e-5 for norm in norms)
    activation = quick_gelu if spec.width == 768 else nn.functional.gelu
    assert {module.activation for module in encoder.modules() if isinstance(module, Mlp)} == {activation}
    heads = {(module.heads, module.causal) for module in encoder.modules() if isinstance(module, SelfAttention)}
    assert heads == {(4 if spec is PETS_TEXT else spec.width // 64, True)}


def test_what_the_predictors_were_taught_to_read() -> None:
    read = {name: (spec.skip, spec.normed, spec.pooled) for name, (spec, _, _) in RELEASED.items()}
    assert read == {
        "CLIP-L": (0, True, 768),
        "CLIP-L of SDXL": (1, False, 768),
        "CLIP-L of SD 3": (1, False, 768),
        "OpenCLIP-H": (0, True, 1024),
        "OpenCLIP-bigG": (1, False, 1280),
    }


def test_no_token_sees_what_follows_it() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(SMALL)
    tokens = torch.tensor([[1, 2, 3, 4, 19, 19, 19, 19]])
    changed = torch.tensor([[1, 2, 3, 9, 19, 19, 19, 19]])
    with torch.no_grad():
        a, b = encoder(tokens).states, encoder(changed).states
    assert torch.equal(a[:, :3], b[:, :3])
    assert not torch.allclose(a[:, 3:], b[:, 3:])


def test_cutting_padding_off_changes_nothing_else() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(SMALL)
    tokens = torch.tensor([[1, 2, 19, 19, 19, 19, 19, 19]])
    with torch.no_grad():
        long, short = encoder(tokens), encoder(tokens[:, :3])
    torch.testing.assert_close(long.states[:, :3], short.states)
    torch.testing.assert_close(long.pooled, short.pooled)


def test_pooled_is_the_normed_state_of_the_first_end() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(SMALL)
    tokens = torch.tensor([[1, 2, 19, 19, 19, 19, 19, 19], [1, 5, 6, 7, 19, 0, 0, 0]])
    with torch.no_grad():
        found = encoder(tokens)
    torch.testing.assert_close(found.pooled, torch.stack([found.states[0, 2], found.states[1, 4]]))


def test_pooled_passes_every_layer_even_where_states_skip_some() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(replace(SMALL, skip=1, normed=False, projection=6))
    tokens = torch.tensor([[1, 2, 19, 19, 19, 19, 19, 19]])
    with torch.no_grad():
        found = encoder(tokens)
        encoder.spec = replace(SMALL, projection=6)
        whole = encoder(tokens)
    assert found.pooled is not None
    assert found.pooled.shape == (1, 6)
    assert torch.equal(found.pooled, whole.pooled)
    assert not torch.allclose(found.states, whole.states)


@pytest.mark.parametrize("masked", [True, False])
def test_padding_is_marked_where_the_spec_says_so(masked: bool) -> None:
    tokens = torch.tensor([[1, 2, 19, 19, 19, 19, 19, 19], [1, 5, 6, 7, 8, 9, 3, 19]])
    keep = TextEncoder(replace(SMALL, mask_padding=masked))(tokens).keep
    if not masked:
        assert keep is None
    else:
        assert keep is not None
        assert keep.sum(dim=1).tolist() == [3, 8]


def test_a_layer_less_is_a_layer_skipped() -> None:
    """SD 2 reads the last layer but one: files hold 23 layers, or 24 of which one is skipped."""
    torch.manual_seed(0)
    whole, tokens = TextEncoder(replace(SMALL, skip=1)), torch.tensor([[1, 2, 19, 0, 0, 0, 0, 0]])
    short = TextEncoder(replace(SMALL, layers=1))
    short.load_state_dict({name: value for name, value in whole.state_dict().items() if "layers.1." not in name})
    with torch.no_grad():
        assert torch.equal(whole(tokens).states, short(tokens).states)


def test_layers_can_be_skipped_beside_those_of_the_spec() -> None:
    torch.manual_seed(0)
    encoder, tokens = TextEncoder(replace(SMALL, layers=3)), torch.tensor([[1, 2, 19, 19, 19, 19, 19, 19]])
    with torch.no_grad():
        asked = [encoder(tokens, skip=skip) for skip in range(4)]
        encoder.spec = replace(encoder.spec, skip=1)
        assert torch.equal(encoder(tokens, skip=1).states, asked[2].states)
        assert torch.equal(encoder.final_layer_norm(encoder.embeddings(tokens)), asked[3].states)
    assert all(torch.equal(each.pooled, asked[0].pooled) for each in asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("skip", [-1, 2])
def test_more_layers_than_there_are_cannot_be_skipped(skip: int) -> None:
    with pytest.raises(InvalidRequest, match="from 0 to 1"):
        TextEncoder(replace(SMALL, skip=1))(torch.tensor([[1, 19]]), skip=skip)


def test_tokens_beyond_the_end_token_are_not_taken_for_it() -> None:
    """Words that were learned later have greater numbers than the end."""
    torch.manual_seed(0)
    encoder = TextEncoder(replace(SMALL, vocabulary=22))
    tokens = torch.tensor([[1, 21, 20, 19, 19, 19, 19, 19]])
    with torch.no_grad():
        found = encoder(tokens)
    assert found.pooled is not None
    torch.testing.assert_close(found.pooled[0], found.states[0, 3])
