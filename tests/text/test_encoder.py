"""The text transformer against the released ones: sizes, names, and numbers made by transformers."""

import json
import math
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from inkwash.text.encoder import CLIP_L, PETS_TEXT, TextEncoder, TextSpec, quick_gelu

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


def test_clip_l_has_the_released_size() -> None:
    with torch.device("meta"):
        encoder = TextEncoder(CLIP_L)
    assert sum(weight.numel() for weight in encoder.parameters()) == 123_060_480
    assert len(encoder.state_dict()) == 196


@pytest.mark.parametrize("spec", [CLIP_L, PETS_TEXT])
def test_every_norm_has_the_released_eps(spec: TextSpec) -> None:
    with torch.device("meta"):
        norms = [module for module in TextEncoder(spec).modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 2 * spec.layers + 1
    assert all(norm.eps == 1e-5 for norm in norms)


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


def test_quick_gelu_is_close_to_gelu_but_not_gelu() -> None:
    x = torch.linspace(-4, 4, 101)
    apart = (quick_gelu(x) - nn.functional.gelu(x)).abs().max().item()
    assert 0.01 < apart < 0.03
    assert quick_gelu(torch.tensor(0.0)) == 0
