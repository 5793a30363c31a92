"""From any container into any other: pickles and GGUF into safetensors, single files into folders and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.configs import configured
from inkwash.weights.containers.ckpt import open_ckpt
from inkwash.weights.containers.opening import open_source, pickled
from inkwash.weights.containers.source import Source, unscaled
from inkwash.weights.containers.writing import Precision, whole_folder, write_source
from inkwash.weights.families import Prediction
from inkwash.weights.family import NETWORKS, identified
from inkwash.weights.names import joint_control, mmdit, text, tiny, unet, vae
from inkwash.weights.names.recipe import recast
from inkwash.weights.prediction import SCHEDULER, prediction
from inkwash.weights.single import PLACES, Naming, Parts, apart, base_of, empty_marker, together

Layout = Literal["keep", "ldm", "diffusers"]
FILES: Mapping[str, str] = {"unet": "diffusion_pytorch_model", "transformer": "diffusion_pytorch_model",
                            "vae": "diffusion_pytorch_model"}  # fmt: skip
MOST_NAMED = 8


@dataclass(frozen=True)
class Wishes:
    """What may be chosen in a conversion."""

    precision: Precision = "keep"
    layout: Layout = "keep"
    """Names in a file: as they are, those of the original code, or those of a diffusers folder."""
    variant: str | None = None
    """Which files of a folder are read."""
    prediction: Prediction | None = None
    """What the network was taught, where the file cannot tell."""
    strict: bool = False
    """Refuse tensors that nobody knows, rather than leaving them behind."""
    overwrite: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a conversion did."""

    path: Path
    tensors: int
    left: tuple[str, ...]
    """Tensors that nobody knows, left behind."""
    ignored: str = ""
    """Objects in a pickle that were no weights."""


def opened_for_conversion(path: Path, variant: str | None = None) -> Source:
    """Any container, pickles too: the only way to them.  Raises WeightsError in one line."""
    source = open_ckpt(path) if pickled(path) else open_source(path, variant)
    if source.container == "GGUF" and any(name.startswith("enc.blk.") for name in source.slots):
        source = recast(source, text.t5_from_llama(list(source.slots)))
    return unscaled(source)


def convert(path: Path, out: Path, wishes: Wishes | None = None) -> Outcome:
    """Into a file if `out` ends in .safetensors, else into a diffusers folder; whole, or not there.

    Raises WeightsError for a file that is broken or cannot be taken apart, OutputError for a place that is taken.
    """
    wishes = wishes or Wishes()
    if out.suffix.lower() in (".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft"):
        raise InvalidRequest("out", str(out), "a name that ends in .safetensors, or a folder")
    source = opened_for_conversion(path, wishes.variant)
    makes = _file if out.suffix.lower() == ".safetensors" else _folder
    return makes(source, out, wishes)


def _file(source: Source, out: Path, wishes: Wishes) -> Outcome:
    notes = {key: value for key, value in source.metadata.items() if not key.endswith(".json")}
    left: tuple[str, ...] = ()
    if any("/" in name for name in source.slots):
        source, left, told = _single(source, wishes)
        notes |= told
    elif wishes.layout != "keep":
        source = _renamed(source, wishes.layout)
    ignored = notes.pop("inkwash.ignored", "")
    notes = {} if source.container == "GGUF" else notes
    write_source(out, source, notes, wishes.precision, overwrite=wishes.overwrite)
    return Outcome(out, len(source), left, ignored)


def _single(source: Source, wishes: Wishes) -> tuple[Source, tuple[str, ...], dict[str, str]]:
    """A folder as the tensors of one file, what is left behind, and what such a file has to say in words."""
    found = apart(source)
    told = prediction(source, identified(source), found, wishes.prediction)
    base = base_of(found.parts)
    places = {place.part for place in PLACES}
    known = {name: part for name, part in found.parts.items() if name in places}
    markers = []
    if base in ("sdxl", "refiner") and told.prediction == "v_prediction":
        markers.append("v_pred")
        if '"rescale_betas_zero_snr": true' in source.metadata.get(SCHEDULER, ""):
            markers.append("ztsnr")
    left = tuple(name for name in found.parts if name not in known)
    _refuse(source, left, wishes)
    notes = {"modelspec.prediction_type": {"v_prediction": "v"}.get(told.prediction, told.prediction)}
    return together(known, base, {name: empty_marker(name) for name in markers}), left, notes


def _folder(source: Source, out: Path, wishes: Wishes) -> Outcome:
    found = _with_networks(source)
    _refuse(source, found.unknown, wishes)
    identity = identified(source)
    told = prediction(source, identity, found, wishes.prediction)
    configs = configured(identity, found.parts, told.prediction)
    if "ztsnr" in found.markers:
        key = "scheduler/scheduler_config.json"
        configs[key] = {**configs[key], "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    notes = {key: value for key, value in source.metadata.items() if not key.endswith(".json")}
    ignored = notes.pop("inkwash.ignored", "")
    with whole_folder(out, overwrite=wishes.overwrite) as part:
        for name, tensors in found.parts.items():
            (part / name).mkdir()
            place = part / name / f"{FILES.get(name, 'model')}.safetensors"
            write_source(place, tensors, notes if name in NETWORKS else {}, wishes.precision)
        for name, config in configs.items():
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return Outcome(out, sum(map(len, found.parts.values())), found.unknown, ignored)


def _with_networks(source: Source) -> Parts:
    """The parts of what can become a folder."""
    found = apart(source)
    if not set(found.parts) & {*NETWORKS, "vae"}:
        what = identified(source).kind
        raise WeightsError(
            f"{source.what} is no model that makes a folder: {what}; a name in .safetensors can be written"
        )
    return found


def _refuse(source: Source, unknown: tuple[str, ...], wishes: Wishes) -> None:
    if unknown and wishes.strict:
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        raise WeightsError(f"{source.what} holds what nobody knows: {', '.join(unknown[:MOST_NAMED])}{more}")


NAMINGS: Mapping[str, tuple[Naming, Naming]] = {
    "network": (unet.to_diffusers, unet.to_ldm),
    "controlnet": (unet.to_diffusers, unet.to_ldm),
    "vae": (vae.to_diffusers, vae.to_ldm),
    "text encoder": (text.to_diffusers, text.to_openclip),
    "taesd": (tiny.to_diffusers, tiny.to_own),
    "sd3": (mmdit.to_diffusers, mmdit.to_reference),
    "sd3 controlnet": (joint_control.to_diffusers, joint_control.to_stability),
}
"""To the names of a diffusers folder, and to those of the original code, for a network by itself."""


def _renamed(source: Source, layout: Layout) -> Source:
    """One network under the names of another world."""
    identity = identified(source)
    kind = identity.kind
    if kind in ("network", "controlnet") and identity.family.startswith("sd3"):
        kind = "sd3" if kind == "network" else "sd3 controlnet"
    if kind not in NAMINGS:
        what = f"a {identity.kind} has the same names everywhere, or makes a folder"
        raise InvalidRequest("layout", layout, f"keep: {what}")
    if identity.layout == layout:
        return source
    there, back = NAMINGS[kind]
    plain = _bare(source)
    return recast(plain, (there if layout == "diffusers" else back)(list(plain.slots)))


def _bare(source: Source) -> Source:
    """Without the prefix that all names have."""
    for prefix in ("control_model.", "first_stage_model.", "model.diffusion_model."):
        if any(name.startswith(prefix) for name in source.slots):
            return source.under(prefix)
    return source
