"""Which way a resolved request goes down: sampler, levels, and what the network is told of them."""

from math import inf

from inkwash.errors import InvalidRequest
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.churn import Churn
from inkwash.reverse.knobs import ALONG_PATHS, tuned
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.scheduler_class import Config
from inkwash.reverse.scheduler_config import Walk, planned
from inkwash.reverse.spacing import SPACINGS, discarding
from inkwash.weights.bundle import Bundle


def walk_of(asked: GenerateRequest, bundle: Bundle) -> Walk:
    """The whole way, also where only its end is walked.

    Raises InvalidRequest for a knob that the sampler does not have, and for a plan that cannot be followed.
    """
    way, name = asked.way, str(asked.sampler)
    churn = Churn(way.s_churn, way.s_tmin, inf if way.s_tmax is None else way.s_tmax)
    if asked.noise.tree and name not in ALONG_PATHS:
        raise InvalidRequest("noise.tree", True, f"left out with {name}; these follow a path: {', '.join(ALONG_PATHS)}")
    if way.plan == "diffusers":
        walk = _as_diffusers(asked, bundle)
        return Walk(tuned(walk.sampler, name, way.eta, churn), walk.sigmas, walk.schedule, walk.start)
    spacing = SPACINGS[str(asked.spacing)]
    sigmas = (discarding(spacing) if way.discard else spacing)(bundle.schedule, asked.steps or 1)
    return Walk(tuned(SAMPLERS[name], name, way.eta, churn), sigmas, bundle.schedule, sigmas[0].item())


def _as_diffusers(asked: GenerateRequest, bundle: Bundle) -> Walk:
    own = bundle.defaults.sampler, bundle.defaults.spacing
    if not bundle.scheduler:
        raise InvalidRequest("way.plan", "diffusers", f"own: {bundle.name} has no scheduler_config.json")
    if (asked.sampler, asked.spacing) != own:
        given = f"{asked.sampler} with {asked.spacing}"
        raise InvalidRequest("way.plan", "diffusers", f"own, or without a sampler and a spacing, not {given}")
    if asked.way.discard:
        raise InvalidRequest("way.discard", True, "left out with the plan of diffusers")
    config = mended(bundle.scheduler, bundle.predictor)
    return planned(str(config.get("_class_name", "")), config, asked.steps or 1)


def mended(config: Config, predictor: UNet | MMDiT) -> Config:
    """A config as diffusers' pipelines use it, which mend what is outdated in it.

    Guesses of latents are not clipped, though classes that began with pixels do so unless told; and the steps of a
    U-Net of SD 1 or 2 begin at 1, whatever is said of them.
    """
    small = isinstance(predictor, UNet) and not predictor.spec.pooled_width and not predictor.spec.labels
    return {**config, "clip_sample": False} | ({"steps_offset": 1} if small else {})
