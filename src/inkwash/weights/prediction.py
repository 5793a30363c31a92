"""What a network was taught to tell: the noise, the velocity or the flow. Few files say; here is who is believed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from inkwash.weights.containers.source import Source
from inkwash.weights.families import FAMILIES, Prediction
from inkwash.weights.family import Identity
from inkwash.weights.single import Parts

YAML = re.compile(r"^\s*parameterization:\s*[\"']?(v|eps|x0)[\"']?\s*(#.*)?$", re.MULTILINE)
SPOKEN: Mapping[str, Prediction] = {
    "v": "v_prediction", "v_prediction": "v_prediction", "v-prediction": "v_prediction", "eps": "epsilon",
    "epsilon": "epsilon", "x0": "sample", "sample": "sample", "flow": "flow", "edm": "edm",
}  # fmt: skip
SCHEDULER = "scheduler/scheduler_config.json"
LAST_NORM = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias"
SPREAD = 0.09
"""Standard deviation of LAST_NORM: velocity networks of Stable Diffusion 2 lie above, noise networks below."""
LARGEST_YAML = 2**16
USUAL = "what is usual for the family"


@dataclass(frozen=True)
class Told:
    """What is predicted, and who says so."""

    prediction: Prediction
    by: str


def prediction(source: Source, identity: Identity, parts: Parts, wish: Prediction | None = None) -> Told:
    """Who is believed, the first who knows: the user, a .yaml beside the file, marker tensors, a folder's scheduler,
    ModelSpec metadata, the weights themselves (Stable Diffusion 2 only), what is usual for the family.
    """
    asked = Told(wish, "the user") if wish is not None else None
    found = asked or _beside(source) or _markers(parts) or _scheduler(source) or _metadata(source)
    return found or _weights(identity, parts) or _usual(identity)


def _beside(source: Source) -> Told | None:
    if len(source.files) != 1:
        return None
    path = source.files[0].with_suffix(".yaml")
    try:
        text = path.read_text("utf-8", errors="replace") if path.stat().st_size <= LARGEST_YAML else ""
    except OSError:
        return None
    found = YAML.search(text)
    return Told(SPOKEN[found[1]], path.name) if found else None


def _markers(parts: Parts) -> Told | None:
    known: Mapping[str, Prediction] = {
        "edm_vpred.sigma_max": "v_prediction",
        "edm_mean": "edm",
        "v_pred": "v_prediction",
    }
    return next((Told(what, f"the marker {name}") for name, what in known.items() if name in parts.markers), None)


def _scheduler(source: Source) -> Told | None:
    try:
        table = json.loads(source.metadata.get(SCHEDULER, ""))
        spoken = str(table.get("prediction_type", ""))
        if "FlowMatch" in str(table.get("_class_name", "")):
            spoken = "flow"
    except (ValueError, AttributeError, RecursionError):
        return None
    return Told(SPOKEN[spoken], SCHEDULER) if spoken in SPOKEN else None


def _metadata(source: Source) -> Told | None:
    spoken = source.metadata.get("modelspec.prediction_type", "")
    if source.metadata.get("ss_v_parameterization") == "True":
        return Told("v_prediction", "ss_v_parameterization")
    return Told(SPOKEN[spoken], "modelspec.prediction_type") if spoken in SPOKEN else None


def _weights(identity: Identity, parts: Parts) -> Told | None:
    """One small tensor of Stable Diffusion 2 tells; inpainting and depth were taught the noise."""
    network = parts.one("unet")
    if network is None or identity.family != "sd2" or LAST_NORM not in network.slots:
        return None
    if identity.task != "paint":
        return Told("epsilon", "the network's input")
    spread = float(network[LAST_NORM].float().std(correction=0))
    return Told("v_prediction" if spread > SPREAD else "epsilon", f"the weights (spread {spread:.3f})")


def _usual(identity: Identity) -> Told:
    family = FAMILIES.get(identity.family)
    return Told(family.prediction if family else "epsilon", USUAL)
