"""A model in a folder: what it is as JSON, and the weights of its parts beside it.

model.json              specs, schedule, target, defaults, and the sha256 of every other file; written last
predictor.safetensors   the noise predictor            autoencoder.safetensors   pixels <-> latents
text.safetensors        the text transformer           tokenizer.json            prompts -> tokens

Weights rest in half precision and wake in float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inkwash.denoiser import Target
from inkwash.errors import OutputError, WeightsError
from inkwash.files import atomic, told
from inkwash.forward.schedule import Schedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.spec import AutoencoderSpec
from inkwash.latent.tiny_autoencoder import TinyAutoencoder, TinyAutoencoderSpec
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.unet import UNet
from inkwash.ram import rested
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.text.towers import ThreeReaders, TwoReaders
from inkwash.weights.files import contents, packed, parsed, sha256
from inkwash.weights.fit import fit
from inkwash.weights.header import header
from inkwash.weights.manifest import MANIFEST, Defaults, Manifest, located, read_manifest, write_manifest
from inkwash.weights.schedules import described

TOKENIZER = "tokenizer.json"
LARGEST_HALF = 65504.0


@dataclass(frozen=True)
class Bundle:
    """The parts of a model, ready for use."""

    name: str
    predictor: UNet | MMDiT
    schedule: Schedule
    target: Target
    autoencoder: Autoencoder | TinyAutoencoder | PixelSpace
    text: Conditioner | TwoReaders | ThreeReaders
    defaults: Defaults
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of every file it was read from."""
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    """The scheduler_config.json of a released one."""
    maps: tuple[mmap, ...] = ()
    """Mapped files in which weights may rest."""

    def networks(self) -> Mapping[str, nn.Module]:
        """The parts that have weights, by the stem of their files."""
        texts = zip(("text", "text_2", "text_3"), self.text.encoders, strict=False)
        return {"predictor": self.predictor, "autoencoder": self.autoencoder, **dict(texts)}

    @property
    def multiple(self) -> int:
        """Pixels that width and height must be a multiple of."""
        patch = self.predictor.spec.patch if isinstance(self.predictor, MMDiT) else 1
        return self.autoencoder.spec.factor * patch

    def rest(self) -> None:
        """Give back the memory of weights that lie in mapped files, until they are wanted again."""
        rested(self.maps)

    def to(self, device: torch.device) -> "Bundle":
        """Move every part, in place."""
        for network in self.networks().values():
            network.to(device)
        self.text.forget()
        return self


def load_bundle(name_or_folder: str | Path) -> Bundle:
    """A shipped model by name, or any folder that `save_bundle` wrote; on the CPU, without gradients.

    Raises InvalidRequest if there is no such model, WeightsError if one of its files is broken or does not fit.
    """
    folder = located(name_or_folder)
    manifest = read_manifest(folder)
    data = {name: _intact(folder / name, wanted) for name, wanted in manifest.files.items()}
    bundle = _empty(manifest, _tokenizer(folder / TOKENIZER, manifest.text))
    for stem, network in bundle.networks().items():
        path = folder / f"{stem}.safetensors"
        if path.name not in data:
            raise WeightsError(f"{folder / MANIFEST} vouches for no {path.name}")
        fit(network, parsed(data[path.name], path).tensors, str(path))
        network.eval().requires_grad_(False)
    return bundle


def save_bundle(folder: Path, bundle: Bundle, *, overwrite: bool = False) -> None:
    """Write a folder that `load_bundle` reads; model.json comes last and vouches for the rest.

    Raises OutputError if there is a model already and `overwrite` is False, or if the disk is full; WeightsError
    for weights that half precision cannot hold.
    """
    if (folder / MANIFEST).exists() and not overwrite:
        raise OutputError(f"{folder} holds a model already; choose another folder or allow overwriting")
    predictor, text, space = bundle.predictor, bundle.text, bundle.autoencoder.spec
    if not isinstance(predictor, UNet) or not isinstance(text, Conditioner) or isinstance(space, TinyAutoencoderSpec):
        raise WeightsError(f"{bundle.name} has no place in a folder with a {MANIFEST}; it has a file of its own")
    parts = {f"{stem}.safetensors": packed(_halved(net, stem), {}) for stem, net in bundle.networks().items()}
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    text.tokenizer.save(folder / TOKENIZER)
    for name, data in parts.items():
        with atomic(folder / name, overwrite=True) as part:
            part.write_bytes(data)
    manifest = Manifest(
        name=bundle.name,
        target=bundle.target,
        schedule=described(bundle.schedule),
        predictor=predictor.spec,
        autoencoder=space if isinstance(space, AutoencoderSpec) else None,
        text=text.encoder.spec,
        defaults=bundle.defaults,
        files={name: sha256(contents(folder / name)) for name in (*parts, TOKENIZER)},
    )
    write_manifest(folder, manifest, overwrite=overwrite)


def _empty(manifest: Manifest, tokenizer: Tokenizer) -> Bundle:
    """The parts that `manifest` describes, not yet trained."""
    return Bundle(
        name=manifest.name,
        predictor=UNet(manifest.predictor),
        schedule=manifest.schedule.schedule(),
        target=manifest.target,
        autoencoder=PixelSpace() if manifest.autoencoder is None else Autoencoder(manifest.autoencoder),
        text=Conditioner(tokenizer, TextEncoder(manifest.text)),
        defaults=manifest.defaults,
        files=manifest.files,
    )


def _tokenizer(path: Path, text: TextSpec) -> Tokenizer:
    tokenizer = Tokenizer.load(path, text.tokens)
    if tokenizer.end != text.end or len(tokenizer) > text.vocabulary:
        raise WeightsError(
            f"{path} has {len(tokenizer)} tokens, the end is {tokenizer.end}; "
            f"the text encoder knows {text.vocabulary} and waits for {text.end}"
        )
    return tokenizer


def _intact(path: Path, wanted: str) -> bytes:
    data = contents(path)
    if sha256(data) == wanted:
        return data
    try:
        if path.suffix == ".safetensors":
            header(data)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    raise WeightsError(f"{path} is not the file that {MANIFEST} vouches for; one of the two was changed")


def _halved(network: nn.Module, stem: str) -> dict[str, Tensor]:
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool((tensor.abs() <= LARGEST_HALF).all()):
            raise WeightsError(f"{stem}: {name} holds numbers that half precision cannot")
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
