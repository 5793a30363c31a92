"""ControlNets of Stable Diffusion 3 out of their files: diffusers folders, files of such names, Stability's files."""

from dataclasses import replace
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.predictor.joint_control import JointControlNet
from inkwash.weights.containers.folder import STEMS
from inkwash.weights.containers.source import Source
from inkwash.weights.family import Identity, identified
from inkwash.weights.gathered import notes_of, readable
from inkwash.weights.joint_shape import joint_control_spec
from inkwash.weights.names.joint_control import TYPE, to_diffusers
from inkwash.weights.names.recipe import recast
from inkwash.weights.waking import awake

EDGES = 1
"""The type of Stability's network of edges, the only one that was taught with glaring hints."""
CANNY = "canny"
"""In the name of a folder that has such a network: nothing else tells it there."""


def read_joint_control(path: Path, *, rests: bool = False) -> tuple[JointControlNet, Identity]:
    """One, and what it is; `rests`: its weights stay in the type of the file.

    Raises InvalidRequest for another file, WeightsError for one that is broken.
    """
    source = readable(path)
    told = identified(source)
    if not is_joint(told):
        wanted = f"a ControlNet of Stable Diffusion 3; this is a {told.kind} {told.family}".strip()
        raise InvalidRequest("control", str(path), wanted)
    part = recast(source, to_diffusers(list(source.slots)))
    spec = joint_control_spec(part, notes_of(source).get("config.json", {}))
    spec = replace(spec, glaring=not spec.worded and _edges(source, path))
    return awake(lambda: JointControlNet(spec), replace(part, rests=rests)), told


def is_joint(told: Identity) -> bool:
    """Whether a file is one."""
    return told.kind == "controlnet" and told.family.startswith("sd3")


def _edges(source: Source, path: Path) -> bool:
    if TYPE in source.slots and source.slots[TYPE].numel == 1:
        return round(source[TYPE].float().item()) == EDGES
    named = path.parent if path.name.startswith(STEMS[0]) else path
    return CANNY in named.name.lower()
