"""What a model is, without its weights: the model.json of its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from inkwash.denoiser import Target
from inkwash.errors import InvalidRequest, WeightsError
from inkwash.files import atomic
from inkwash.latent.spec import AutoencoderSpec
from inkwash.predictor.spec import UNetSpec
from inkwash.text.encoder import TextSpec
from inkwash.weights.files import contents
from inkwash.weights.plain import built, plain
from inkwash.weights.schedules import ScheduleSpec

MODELS = Path(__file__).parent.parent / "models"
"""Where the shipped models live."""
MANIFEST = "model.json"
ABOVE_ALL = 1e4
"""A noise level that stands for any."""


@dataclass(frozen=True)
class Defaults:
    """What a model paints with when a request does not say."""

    width: int = 512
    height: int = 512
    steps: int = 25
    sampler: str = "dpmpp_2m"
    spacing: str = "karras"
    guidance: float = 7.0
    guidance_from: float = 0.0
    """Guidance acts at noise levels sigma from here ..."""
    guidance_until: float = ABOVE_ALL
    """... up to here; this default is above every schedule."""
    negative_prompt: str = ""
    silence: bool = False
    """Nothing unwanted means zeros, not the states of the empty prompt."""


@dataclass(frozen=True)
class Manifest:
    """Everything about a model but its weights."""

    name: str
    target: Target
    schedule: ScheduleSpec
    predictor: UNetSpec
    autoencoder: AutoencoderSpec | None
    """None: the predictor works on pixels."""
    text: TextSpec
    defaults: Defaults
    files: Mapping[str, str]
    """sha256 of every other file of the folder."""


def located(name_or_folder: str | Path) -> Path:
    """The folder of a model.  Raises InvalidRequest naming the models there are."""
    for folder in (MODELS / name_or_folder, Path(name_or_folder)):
        if (folder / MANIFEST).is_file():
            return folder
    shipped = sorted(path.parent.name for path in MODELS.glob(f"*/{MANIFEST}"))
    close = get_close_matches(str(name_or_folder), shipped, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    wanted = f"one of {', '.join(shipped)}, or a path" if shipped else "a path"
    raise InvalidRequest("model", str(name_or_folder), f"{wanted} of a checkpoint or a folder with a {MANIFEST}{hint}")


def read_manifest(folder: Path) -> Manifest:
    """What the model in `folder` is.  Raises WeightsError if model.json is broken or holds unknown fields."""
    path = folder / MANIFEST
    try:
        manifest = built(Manifest, json.loads(contents(path)))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not JSON: {error}") from None
    except InvalidRequest as error:
        raise WeightsError(f"{path}: {error}") from None
    for name in manifest.files:
        if name in ("", ".", "..") or "/" in name or "\\" in name:
            raise WeightsError(f"{path} names a file outside its folder")
    return manifest


def write_manifest(folder: Path, manifest: Manifest, *, overwrite: bool = False) -> None:
    """Write model.json.  Raises OutputError if it exists and `overwrite` is False, or cannot be written."""
    with atomic(folder / MANIFEST, overwrite=overwrite) as part:
        part.write_text(json.dumps(plain(manifest), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
