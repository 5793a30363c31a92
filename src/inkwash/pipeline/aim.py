"""How a batch is guided beyond its scale: the rule, worse networks to push away from, features that are scaled."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from math import inf

import torch

from inkwash.denoiser import Denoiser, Interval, NetworkDenoiser, Rule, Towards, composed, guided, straight
from inkwash.forward.noising import per_image
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.guidance import Pace, Within, projected, pushed, rescaled, thresholded
from inkwash.predictor.freeu import freed
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.perturbed import perturbed
from inkwash.predictor.skipping import between_steps, leaving_out, once
from inkwash.predictor.unet import UNet
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import PAG, FreeU, Rules
from inkwash.types import Latents, Sigma, Sigmas, TextStates
from inkwash.weights.bundle import Bundle
from inkwash.weights.manifest import ABOVE_ALL

Block = Callable[[], AbstractContextManager[None]]
"""Inside it a network is another one."""


@dataclass(frozen=True)
class Aim:
    """Made once for every batch: some rules remember."""

    rule: Rule
    schedule: Schedule
    pushes: tuple[tuple[Block, Pace], ...] = ()
    freed: Block | None = None

    def shared(self, network: NetworkDenoiser) -> Denoiser:
        """The network, asked once a step for all that want to know."""
        return once(network) if self.pushes else network

    def taken(self, guess: Denoiser, networks: Sequence[NetworkDenoiser], ways: Sequence[Towards]) -> Denoiser:
        """`guess`, and steered by all the rest; `ways` are the wanted `networks`, shared and weighed."""
        for block, pace in self.pushes:
            worse = [(_inside(block, network), weight) for network, (_, weight) in zip(networks, ways, strict=True)]
            guess = pushed(guess, together(ways), together(worse), pace)
        return guess if self.freed is None else Within(guess, self.freed)


def aim(asked: GenerateRequest, bundle: Bundle, sigmas: Sigmas, schedule: Schedule | None = None) -> Aim:
    """What a resolved request wants of guidance; `schedule` where the network is not told the model's own steps."""
    network, told, pushes = bundle.predictor, schedule or bundle.schedule, []
    if asked.pag.scale and isinstance(network, UNet):
        pushes.append((_perturbed(network, asked.pag), _fading(asked.pag, told)))
    if asked.slg.scale and isinstance(network, MMDiT):
        low, high = between_steps(sigmas, asked.slg.start, asked.slg.stop)
        pushes.append((lambda: leaving_out(network, asked.slg.layers), _between(asked.slg.scale, low, high)))
    free = _free(network, asked.freeu) if isinstance(network, UNet) and asked.freeu.acts else None
    return Aim(rule_of(asked.rules, bundle), told, tuple(pushes), free)


def interval_of(asked: GenerateRequest) -> Interval:
    """Levels at which guidance acts; what is above every schedule is above the infinite beginning of a flow, too."""
    until = asked.guidance_until or 0.0
    return asked.guidance_from or 0.0, inf if until >= ABOVE_ALL else until


def rule_of(rules: Rules, bundle: Bundle) -> Rule:
    """The rules that are on, one around the other."""
    rule = projected(rules.parallel, rules.largest, rules.momentum) if rules.projected else straight
    if rules.mimic is not None:
        rule = thresholded(rules.mimic, rules.percentile, rule)
    return rescaled(rules.rescale, bundle.target, rule) if rules.rescale else rule


def along(ways: Sequence[Towards], unwanted: Denoiser, scale: float, interval: Interval, rule: Rule) -> Denoiser:
    """Toward several prompts at once, by a rule: what they say together is what is wanted."""
    if rule is straight:
        return composed(ways, unwanted, scale, interval)
    away = once(unwanted)
    return guided(composed(ways, away, 1.0), away, scale, interval, rule)


def together(ways: Sequence[Towards]) -> Denoiser:
    """The sum of guesses, each weighed picture by picture."""

    def denoise(x: Latents, sigma: Sigma) -> Latents:
        return torch.stack([per_image(weights.to(x)) * way(x, sigma) for way, weights in ways]).sum(dim=0)

    return denoise


def _inside(block: Block, network: NetworkDenoiser) -> NetworkDenoiser:
    def predict(x: Latents, t: Sigma, text: TextStates) -> Latents:
        with block():
            return network.predict(x, t, text)

    return replace(network, predict=predict)


def _perturbed(network: UNet, pag: PAG) -> Block:
    return lambda: perturbed(network, pag.layers)


def _free(network: UNet, freeu: FreeU) -> Block:
    return lambda: freed(network, ((freeu.b1, freeu.s1), (freeu.b2, freeu.s2)), freeu.version)


def _fading(pag: PAG, schedule: Schedule) -> Pace:
    """Less with every step of training, as diffusers' adaptive scale."""
    if not pag.adaptive:
        return lambda _: pag.scale
    return lambda sigma: max(0.0, pag.scale - pag.adaptive * (STEPS - schedule.t(sigma).max().item()))


def _between(scale: float, low: float, high: float) -> Pace:
    return lambda sigma: scale if low <= sigma.max().item() <= high else 0.0
