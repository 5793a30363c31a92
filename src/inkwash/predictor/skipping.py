"""Skip-layer guidance: away from what a network says with some of its layers left out.  (Stable Diffusion 3.5, 2024)

answers = once(network denoiser)
denoise = steered_away(guided(answers, unwanted, 4.0), answers, network denoiser of without(mmdit, (7, 8, 9)), 2.5)
"""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

import torch

from inkwash.denoiser import EVERYWHERE, Denoiser, Interval, NoisePredictor
from inkwash.errors import InvalidRequest
from inkwash.predictor.mmdit import MMDiT
from inkwash.types import Latents, Sigma, Sigmas

NOWHERE: Interval = (float("inf"), 0.0)


def without(network: MMDiT, layers: Collection[int]) -> NoisePredictor:
    """The network with some of its layers left out.

    Raises InvalidRequest for a layer that is not there.
    """
    _there(network, layers)
    return lambda x, t, text: network(x, t, text, skip=layers)


@contextmanager
def leaving_out(network: MMDiT, layers: Collection[int]) -> Iterator[None]:
    """Inside the block `network` answers as `without` some of its layers.

    Raises InvalidRequest for a layer that is not there.
    """
    _there(network, layers)
    with ExitStack() as hooks:
        for layer in layers:
            block = network.transformer_blocks[layer]
            hooks.callback(block.register_forward_hook(lambda _, args, __: args[:2]).remove)
        yield


def _there(network: MMDiT, layers: Collection[int]) -> None:
    if wrong := sorted(set(layers) - set(range(network.spec.depth))):
        raise InvalidRequest("skipped layer", wrong[0], f"from 0 to {network.spec.depth - 1}")


def steered_away(
    inner: Denoiser, wanted: Denoiser, weaker: Denoiser, scale: float, interval: Interval = EVERYWHERE
) -> Denoiser:
    """`inner` + scale (`wanted` - `weaker`): what the network knows by the layers that the weaker one lacks."""

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        guess = inner(x, sigma)
        if scale == 0 or not interval[0] <= sigma.max().item() <= interval[1]:
            return guess
        return guess + scale * (wanted(x, sigma) - weaker(x, sigma))

    return denoise


def once(denoise: Denoiser) -> Denoiser:
    """Asks again only if latents or level changed: for features that share a network's answer."""
    last: list[tuple[Latents, Sigma, Latents]] = []

    def ask(x: Latents, sigma: Sigma) -> Latents:
        if not last or not torch.equal(last[0][0], x) or not torch.equal(last[0][1], sigma):
            last[:] = [(x.clone(), sigma.clone(), denoise(x, sigma))]
        return last[0][2]

    return ask


def between_steps(sigmas: Sigmas, start: float, stop: float) -> Interval:
    """The levels of those steps i of n for which n start < i < n stop; fractions, as the released defaults are told."""
    steps = len(sigmas) - 1
    levels = [sigmas[i].item() for i in range(steps) if steps * start < i < steps * stop]
    return (min(levels), max(levels)) if levels else NOWHERE
