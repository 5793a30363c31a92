"""Networks of a released checkpoint, built from shapes, and from configurations where shapes are silent."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from inkwash.errors import WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.nn.resting import Resting, whole
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.t5 import T5Encoder, T5Spec
from inkwash.weights.configs import Config
from inkwash.weights.containers.source import Source
from inkwash.weights.fit import refuse
from inkwash.weights.helper_specs import tiny_autoencoder_spec
from inkwash.weights.names import text, tiny
from inkwash.weights.names.recipe import Recipe, recast
from inkwash.weights.network_specs import autoencoder_spec, shapes, unet_spec
from inkwash.weights.packed import keep_packed
from inkwash.weights.shape import MMDiTShape, mmdit_shape

Network = TypeVar("Network", bound=nn.Module)
TOKENS = ("shared.weight", "encoder.embed_tokens.weight")
"""The two names of the vectors of T5's tokens."""


def awake(make: Callable[[], Network], source: Source) -> Network:
    """The network that `make` builds, with the tensors of `source` in float32 as its weights, or resting as they are.

    Built without memory; what lies in a mapped file as float32 is not copied, nor is what rests, and linear layers with
    quantised weights leave them so (packed.py). Raises WeightsError for misfits.
    """
    with torch.device("meta"):
        network = make()
    refuse(network, source.slots, source.what)
    packed = keep_packed(network, source, whole)
    resting = dict(network.named_parameters(remove_duplicate=False)).keys() if source.rests else frozenset()
    rest = [name for name in source.slots if name not in packed]
    load = {name: _resting(source[name]) if name in resting else whole(source[name]) for name in rest}
    network.load_state_dict(load, assign=True)
    return network.eval().requires_grad_(False)


def _resting(tensor: Tensor) -> Resting:
    return Resting(tensor, requires_grad=False)


def predictor_of(part: Source, config: Config) -> UNet | MMDiT:
    """A U-Net or a transformer."""
    if (shape := mmdit_shape(part)) is not None:
        spec = mmdit_spec(shape, config)
        return awake(lambda: MMDiT(spec), part)
    table = headed(unet_spec(shapes(part)), config)
    return awake(lambda: UNet(table), part)


def mmdit_spec(shape: MMDiTShape, config: Config | None = None) -> MMDiTSpec:
    """The table of SD 3's transformer; heads leave no trace in shapes, so a configuration tells them or custom does."""
    heads = _whole(config or {}, "num_attention_heads", max(1, shape.width // 64))
    return MMDiTSpec(
        shape.depth, heads, shape.width // heads, shape.words, shape.pooled, shape.channels, shape.channels,
        positions=round(shape.positions**0.5), qk_norm=shape.normed, dual=shape.dual,
    )  # fmt: skip


def headed(table: UNetSpec, config: Config) -> UNetSpec:
    """With the heads that a configuration tells, which leave no trace in shapes; `attention_head_dim` is misnamed."""
    said: Any = config.get("num_attention_heads") or config.get("attention_head_dim")
    if isinstance(said, int) and said > 0:
        return replace(table, heads=said)
    if not isinstance(said, list) or len(said) != len(table.stages):
        return table
    widths = {stage.channels // n for stage, n in zip(table.stages, said, strict=True) if isinstance(n, int) and n > 0}
    return replace(table, heads=None, head_width=widths.pop()) if len(widths) == 1 else table


def autoencoder_of(part: Source, config: Config, known: AutoencoderSpec) -> Autoencoder | TinyAutoencoder:
    """A KL autoencoder in units of `known` where its configuration has none; or a tiny one, which needs no units."""
    if any(name.startswith("decoder.layers.") for name in part.slots):
        return tiny_autoencoder_of(part)
    scale, shift = _number(config, "scaling_factor"), _number(config, "shift_factor") or 0.0
    if scale:
        known = replace(known, latent_mean=(shift,), latent_std=(1 / scale,))
    mean, std = config.get("latents_mean"), config.get("latents_std")
    if scale and isinstance(mean, list) and isinstance(std, list):
        known = replace(known, latent_mean=tuple(map(float, mean)), latent_std=tuple(each / scale for each in std))
    spec = autoencoder_spec(shapes(part), known)
    return awake(lambda: Autoencoder(spec), part)


def tiny_autoencoder_of(part: Source) -> TinyAutoencoder:
    """A TAESD under diffusers names, encoder and decoder."""
    spec = tiny_autoencoder_spec(shapes(part))
    return awake(lambda: TinyAutoencoder(spec), part)


def halves_of_tiny(source: Source, beside: Callable[[Path], Source]) -> Source:
    """Both halves of a TAESD under diffusers names; own files hold one each, and the other lies beside them.

    Raises WeightsError if one half is nowhere.
    """
    found = source
    if not any(".layers." in name for name in source.slots):
        found = recast(source, tiny.to_diffusers(list(source.slots)))
    there = {name.partition(".")[0] for name in found.slots}
    if there >= {"encoder", "decoder"}:
        return found
    path, (half,) = source.files[0], there
    other = {"encoder": "decoder", "decoder": "encoder"}[half]
    second = path.with_name(path.name.replace(half, other))
    if second == path or not second.is_file():
        raise WeightsError(f"{path} is the {half} of a tiny autoencoder; its {other} is not beside it")
    rest = beside(second)
    rest = recast(rest, tiny.to_diffusers(list(rest.slots)))
    slots = {**found.slots, **rest.slots}
    fetch = lambda name: found.fetch(name) if name in found.slots else rest.fetch(name)
    return replace(found, slots=slots, fetch=fetch, files=(*found.files, *rest.files))


def clip_of(part: Source, config: Config, end: int, skip: int = 0, *, projected: bool = False) -> TextEncoder:
    """A text tower; `skip` layers are passed by at the end, and with them the last norm of the states.

    `projected`: its pooled vector passes a projection where the file has one.
    """
    vocabulary, width = part.shape("text_model.embeddings.token_embedding.weight") or (0, 0)
    projection = (part.shape("text_projection.weight") or (0,))[0] if projected else 0
    spec = TextSpec(
        width,
        _whole(config, "num_hidden_layers", 0),
        _whole(config, "num_attention_heads", max(1, width // 64)),
        (part.shape("text_model.embeddings.position_embedding.weight") or (77,))[0],
        vocabulary,
        end,
        "quick_gelu" if config.get("hidden_act") == "quick_gelu" else "gelu",
        projection,
        skip,
        normed=not skip,
    )
    recipes: Mapping[str, Recipe] = text.without_model(list(part.slots), spec.layers)
    wanted = {new: made for new, made in recipes.items() if projection or new != "text_projection.weight"}
    return awake(lambda: TextEncoder(spec), recast(part, wanted))


def t5_of(part: Source, config: Config) -> T5Encoder:
    """The encoder of a T5."""
    spec = t5_spec(config)
    table = next((name for name in TOKENS if name in part.slots), TOKENS[0])
    names = {name: name for name in part.slots if name.startswith("encoder.")} | dict.fromkeys(TOKENS, table)
    return awake(lambda: T5Encoder(spec), part.renamed(names))


def t5_spec(config: Config) -> T5Spec:
    """The table of a T5's encoder."""
    return T5Spec(
        _whole(config, "d_model", 4096), _whole(config, "num_layers", 24), _whole(config, "num_heads", 64),
        _whole(config, "d_kv", 64), _whole(config, "d_ff", 10_240), _whole(config, "vocab_size", 32_128),
        _whole(config, "relative_attention_num_buckets", 32), _whole(config, "relative_attention_max_distance", 128),
    )  # fmt: skip


def _whole(config: Config, name: str, usual: int) -> int:
    value: Any = config.get(name)
    return value if type(value) is int and 0 < value < 2**20 else usual


def _number(config: Config, name: str) -> float:
    value: Any = config.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
