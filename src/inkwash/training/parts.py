"""Networks in files of their own, with the spec that rebuilds them: what one training hands to the next."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from inkwash.errors import WeightsError
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.spec import AutoencoderSpec
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.training.cache import LatentSpace, Words, digest
from inkwash.weights.files import read, write
from inkwash.weights.fit import fit
from inkwash.weights.plain import built, plain


@dataclass(frozen=True)
class Parts:
    """What a predictor is trained with: the space of its latents and its words, and names that change with them."""

    space: LatentSpace
    words: Words
    space_key: str
    words_key: str


def parts_of(space: Autoencoder | PixelSpace, words: Conditioner) -> Parts:
    """Name the parts by their weights."""
    encoder = nn.ModuleList([part for name, part in space.named_children() if name in ("encoder", "quant_conv")])
    vocabulary = repr(words.tokenizer.encode(["the quick brown fox, 1 2 3"]).tolist())
    return Parts(
        space,
        words,
        _short(repr(space.spec) + digest(encoder)),
        _short(repr(words.encoder.spec) + digest(words.encoder) + vocabulary),
    )


def read_autoencoder(path: Path) -> Autoencoder:
    """Rebuild an autoencoder from its file.  Raises WeightsError."""
    kept = read(path)
    network = Autoencoder(built(AutoencoderSpec, _spec(path, kept.metadata.get("spec")), "spec"))
    fit(network, {name: weight.float() for name, weight in kept.tensors.items()}, str(path))
    return network.eval().requires_grad_(False)


def read_text(folder: Path) -> Conditioner:
    """Rebuild a text encoder and its tokenizer.  Raises WeightsError."""
    path = folder / "text.safetensors"
    kept = read(path)
    encoder = TextEncoder(built(TextSpec, _spec(path, kept.metadata.get("spec")), "spec"))
    fit(encoder, {name: weight.float() for name, weight in kept.tensors.items()}, str(path))
    return Conditioner(Tokenizer.load(folder / "tokenizer.json"), encoder.eval().requires_grad_(False))


def write_part(path: Path, weights: Mapping[str, Tensor], spec: object, told: Mapping[str, str] | None = None) -> None:
    """Weights with the spec that rebuilds their network."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: weight.detach().contiguous() for name, weight in weights.items()}
    write(path, tensors, {"spec": json.dumps(plain(spec)), **(told or {})}, overwrite=True)


def _spec(path: Path, told: str | None) -> object:
    beside = path.with_name("spec.json")
    if told is None and beside.is_file():
        told = beside.read_text("utf-8")
    if told is None:
        raise WeightsError(f"{path} does not say which network it holds: no metadata 'spec', no spec.json beside it")
    return json.loads(told)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
