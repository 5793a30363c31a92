"""What the cases of `pipelines` are made of: networks, words, starts, and the walk down.

All noise of a case comes from one generator with seed 0, in the order in which diffusers draws it. Levels and latents
are in float64, networks in float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.denoiser import Denoiser, NetworkDenoiser, NoisePredictor, Target, guided_at_once, straight
from inkwash.forward.noising import add_noise, shrink
from inkwash.guidance import bounded, rescaled
from inkwash.latent.autoencoder import Autoencoder
from inkwash.predictor.canvas import PLAIN, Canvas, Sides
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.reverse.entry import STARTS
from inkwash.reverse.scheduler_config import Walk, planned
from inkwash.reverse.timetable import Timetable
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Pixels, TextStates
from tools.golden.confused import Confused, legs
from tools.golden.filling import bare, filled, given
from tools.golden.unets import VAE, VAE_SD3

Words = tuple[TextStates, TextStates]
"""The wanted and the unwanted ones."""
Config = Mapping[str, Any]
HIGH, WIDE = 96, 64
TRAINED: Config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
OFFSET: Config = {**TRAINED, "steps_offset": 1}
IN_SIGMA = ("Euler", "Heun", "LMS", "FlowMatch")
"""Schedulers that end in clean + σ eps; others end with unit variance."""
SPACES = {
    "sd": replace(VAE, latent_std=(1 / 0.18215,)),
    "xl": replace(VAE, latent_std=(1 / 0.13025,)),
    "sd3": replace(VAE_SD3, latent_mean=(0.0609,), latent_std=(1 / 1.5305,)),
}


@dataclass(frozen=True)
class Call:
    """What a pipeline is asked for, but for its networks."""

    scheduler: str
    config: Config
    words: Words
    steps: int = 6
    scale: float = 7.5
    rescale: float = 0.0
    """How much guidance keeps of the contrast."""
    options: Mapping[str, float] = field(default_factory=dict)
    """Of the sampler."""

    @property
    def walk(self) -> Walk:
        """Sampler and levels."""
        walk = planned(self.scheduler, self.config, self.steps)
        return replace(walk, sampler=partial(walk.sampler, **self.options), sigmas=walk.sigmas.double())

    @property
    def target(self) -> Target:
        """What its networks were taught to tell."""
        if self.scheduler.startswith("FlowMatch"):
            return "flow"
        return "v" if self.config.get("prediction_type") == "v_prediction" else "epsilon"


def network(call: Call, predict: NoisePredictor, text: TextStates) -> NetworkDenoiser:
    """A network that computes in single precision, behind the seam."""

    def single(x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        return predict(x.float(), t.float(), text).double()

    return NetworkDenoiser(single, call.walk.schedule, call.target, text)


def guidance(call: Call, predict: NoisePredictor) -> Denoiser:
    """The network with its words, guided as the call wants it."""
    rule = rescaled(call.rescale, call.target) if call.rescale else straight
    return guided_at_once(network(call, predict, call.words[0]), call.words[1], call.scale, rule=rule)


def walked(call: Call, ask: Denoiser, begin: "Begin") -> Latents:
    """The last latents in the golden's units."""
    walk = begin.walk
    ask = bounded(ask, walk.schedule) if call.scheduler.startswith("LCM") else ask
    if call.scheduler == "DDIMScheduler" and call.config.get("timestep_spacing") == "trailing":
        return mislaid(walk, ask, begin)
    *_, step = walk.sampler(ask, begin.x, walk.sigmas, begin.noise)
    return step.x if call.scheduler.startswith(IN_SIGMA) else step.x * shrink(walk.sigmas[-1])


def mislaid(walk: Walk, ask: Denoiser, begin: "Begin") -> Latents:
    """The walk of diffusers' DDIM on trailing steps (`tools.golden.confused`)."""
    assert isinstance(walk.schedule, Timetable)  # noqa: S101  all its walks have one
    taken = legs(walk, walk.schedule.inner, walk.schedule.told, pndm=False)
    *_, step = walk.sampler(Confused(walk, ask, taken, taken, False), begin.x, taken.levels, begin.noise)
    return step.x / taken.units[-1] * shrink(walk.sigmas[-1])


@dataclass(frozen=True)
class Begin:
    """Where a walk begins."""

    walk: Walk
    x: Latents
    noise: NoiseSource
    known: Latents
    """Latents of the picture begun from; zeros for none."""
    eps: Latents


def in_noise(call: Call, shape: tuple[int, int, int] = (4, HIGH // 8, WIDE // 8), pictures: int = 1) -> Begin:
    """From nothing but noise."""
    noise, walk = NoiseSource.shared(0, pictures), call.walk
    eps = noise.draw(shape).double()
    return Begin(walk, walk.start * eps, noise, torch.zeros_like(eps), eps)


def in_picture(call: Call, space: str, strength: float) -> Begin:
    """From a picture, noised as diffusers would for the steps that are left."""
    noise, walk = NoiseSource.shared(0, 1), call.walk
    known = autoencoder(space).encode(picture(), noise).double()
    eps = noise.draw(tuple(known.shape[1:])).double()
    _, left_out = STARTS["diffusers"](call.steps, strength)
    left_out -= call.scheduler == "PNDMScheduler"  # its list has one entry more: the second is there twice
    later = replace(walk, sigmas=walk.sigmas[left_out:])
    x = add_noise(known, later.sigmas[0], eps)
    return Begin(later, x, noise, known, eps)


def hint() -> Pixels:
    """The picture of every case, values in [0, 1]."""
    return given("img", (1, 3, HIGH, WIDE)).sigmoid()


def picture() -> Pixels:
    """The same, in [-1, 1]."""
    return 2 * hint() - 1


def hole() -> Float[Tensor, "1 1 height width"]:
    """What is to be painted anew."""
    white = torch.zeros(1, 1, HIGH, WIDE)
    white[..., HIGH // 4 : 3 * HIGH // 4, WIDE // 3 :] = 1
    return white


def words(width: int, tokens: int = 77, pooled: int = 0) -> Words:
    """Embeddings without a text."""
    shape = 1, tokens, width
    wanted, unwanted = (given(name, (1, pooled)) if pooled else None for name in ("pp", "np"))
    return TextStates(given("pe", shape), wanted), TextStates(given("ne", shape), unwanted)


def told(plain: Words, count: int, canvas: tuple[Canvas, Canvas] | None = None) -> Words:
    """Words with the sizes that SDXL is told; without `canvas`, of an uncut picture."""
    whole: Sides = (HIGH, WIDE)
    wanted, unwanted = canvas or (Canvas(whole), Canvas(whole, aesthetic=PLAIN))
    return replace(plain[0], size=wanted.numbers(count)), replace(plain[1], size=unwanted.numbers(count))


def with_beside(plain: Words, beside: Float[Tensor, "1 extra h w"]) -> Words:
    """Words with channels that stand beside the latents, wanted or not."""
    return replace(plain[0], beside=beside), replace(plain[1], beside=beside)


@cache
def unet(spec: UNetSpec) -> UNet:
    """Filled by the rule."""
    return filled(bare(lambda: UNet(spec)))


@cache
def autoencoder(space: str) -> Autoencoder:
    """Filled by the rule."""
    return filled(bare(lambda: Autoencoder(SPACES[space])))


def looked(space: str, latents: Latents) -> Pixels:
    """Latents as a picture, values in [0, 1]."""
    return (autoencoder(space).decode(latents.float()) / 2 + 0.5).clamp(0, 1)
