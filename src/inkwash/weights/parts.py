"""Networks in files of their own, with the spec that rebuilds them: what one training hands to the next."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from torch import Tensor

from inkwash.denoiser import Target
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.files import told
from inkwash.forward.schedule import Schedule
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import AutoencoderSpec
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.text.conditioning import Conditioner
from inkwash.text.encoder import TextEncoder, TextSpec
from inkwash.text.tokenizer import Tokenizer
from inkwash.weights.files import Checkpoint, read, write
from inkwash.weights.fit import fit
from inkwash.weights.plain import Kind, built, plain
from inkwash.weights.schedules import ScheduleSpec


@dataclass(frozen=True)
class TaughtPredictor:
    """A noise predictor, and what it was taught to tell."""

    network: UNet
    schedule: Schedule
    target: Target


def read_predictor(path: Path) -> TaughtPredictor:
    """Rebuild a predictor from its file.  Raises WeightsError."""
    kept = read(path)
    network = UNet(_spec(UNetSpec, path, kept))
    fit(network, kept.tensors, str(path))
    target = next((each for each in get_args(Target) if each == kept.metadata.get("target")), None)
    if target is None:
        raise WeightsError(
            f"{path} does not say what it predicts: no metadata 'target' of {', '.join(get_args(Target))}"
        )
    kind = kept.metadata.get("schedule", "").replace("-", "_")
    schedule = _checked(ScheduleSpec, {"kind": kind}, path).schedule()
    return TaughtPredictor(network.eval().requires_grad_(False), schedule, target)


def read_autoencoder(path: Path) -> Autoencoder:
    """Rebuild an autoencoder from its file.  Raises WeightsError."""
    kept = read(path)
    network = Autoencoder(_spec(AutoencoderSpec, path, kept))
    fit(network, kept.tensors, str(path))
    return network.eval().requires_grad_(False)


def read_text(folder: Path) -> Conditioner:
    """Rebuild a text encoder and its tokenizer from text.safetensors and tokenizer.json.  Raises WeightsError."""
    path = folder / "text.safetensors"
    kept = read(path)
    spec = _spec(TextSpec, path, kept)
    encoder = TextEncoder(spec)
    fit(encoder, kept.tensors, str(path))
    return Conditioner(Tokenizer.load(folder / "tokenizer.json", spec.tokens), encoder.eval().requires_grad_(False))


def write_part(path: Path, weights: Mapping[str, Tensor], spec: object, notes: Mapping[str, str] | None = None) -> None:
    """Weights with the spec that rebuilds their network; replaces what is there.  Raises OutputError."""
    with told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: weight.detach().contiguous() for name, weight in weights.items()}
    write(path, tensors, {"spec": json.dumps(plain(spec)), **(notes or {})}, overwrite=True)


def _spec(kind: type[Kind], path: Path, kept: Checkpoint) -> Kind:
    """What the file says of its network, or else the spec.json beside it."""
    text, beside = kept.metadata.get("spec"), path.with_name("spec.json")
    if text is None and beside.is_file():
        text = beside.read_text("utf-8")
    if text is None:
        raise WeightsError(f"{path} does not say which network it holds: no metadata 'spec', no spec.json beside it")
    try:
        return _checked(kind, json.loads(text), path)
    except ValueError:
        raise WeightsError(f"{path}: its spec is not JSON") from None


def _checked(kind: type[Kind], value: object, path: Path) -> Kind:
    try:
        return built(kind, value, "spec")
    except InvalidRequest as error:
        raise WeightsError(f"{path}: {error}") from None
