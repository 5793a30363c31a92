"""PNDM, also PLMS: the multistep method of the first Stable Diffusion."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.exponential import weighed
from inkwash.reverse.ipndm import EVEN
from inkwash.reverse.step import Step, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def pndm(denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource) -> Iterator[Step]:
    """Fourth order in its weights, one call per step and two for the first.  (Liu et al. 2022, alg. 2, linear steps)

    With latents as clean + σ eps the paper's transfer (eq. 11) is x' = x + (σ' - σ) eps. The first step is Heun's;
    its second call does not count as history.
    """
    known: deque[Latents] = deque(maxlen=4)
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        known.appendleft((x - denoised) / sigma.item())
        length, slope = (lower - sigma).item(), weighed(EVEN[len(known) - 1], known)
        if index == 0 and lower > 0:
            ahead = x + length * slope
            slope = (slope + (ahead - denoise(ahead, lower)) / lower.item()) / 2
        step = moved(index, (sigma, lower), x, denoised, x + length * slope)
        yield step
        x = step.x
