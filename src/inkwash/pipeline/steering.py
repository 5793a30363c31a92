"""Controls and picture prompts of a request -> networks that are ready to help (Stable Diffusion 3: joint_steering)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import compress
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.pictures.photo import Size, read_photo
from inkwash.pictures.picture import pixels_of
from inkwash.pictures.preprocess import prepared
from inkwash.pipeline.aids import ALONE, Aids, acting_from
from inkwash.pipeline.joint_steering import joint_helper, joint_network
from inkwash.predictor.controlnet import HINT_FACTOR, Control, ControlNet, Hint, Onlooker
from inkwash.predictor.ip_adapter import Glance
from inkwash.predictor.joint_control import JointControlNet
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.picture_tokens import PictureTokens
from inkwash.predictor.residuals import Helper
from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.t2i_adapter import FULL_XL, Adapted
from inkwash.predictor.unet import UNet
from inkwash.predictor.union_controlnet import Sight, UnionControl, UnionControlNet
from inkwash.request import control as asked
from inkwash.request.generate import GenerateRequest
from inkwash.request.picture_prompt import PicturePrompt
from inkwash.text.vision import prepared as squared
from inkwash.types import Sigmas
from inkwash.weights.adapters import WORDS
from inkwash.weights.bundle import Bundle
from inkwash.weights.control_kinds import kind_of
from inkwash.weights.families import FAMILIES
from inkwash.weights.helpers import ControlNetwork, control_identity, read_control, read_ip_adapter, read_vision

Network = ControlNetwork | JointControlNet
Networks = Mapping[Path, Network]
"""Those of a request's controls, by file."""
MOST_KEPT = 8
"""Files of each kind that stay in memory."""
XL_WORDS = 2048
SHUFFLED = "shuffle"
"""In the name of a ControlNet that was taught with averaged residuals: no file says so otherwise."""
SOFT_STAGES = (0.25, 0.62, 0.825, 1.0)
"""How strongly a T2I-Adapter's maps count where the prompt or the control is to count more."""


class Steering:
    """Helping networks, each read once, and what they make of requests."""

    def __init__(self, bundle: Bundle, device: torch.device) -> None:
        self.bundle, self.device = bundle, device
        self._control = lru_cache(MOST_KEPT)(self._read)
        self._adapter = lru_cache(MOST_KEPT)(lambda path: read_ip_adapter(path).to(device))
        self._tower = lru_cache(MOST_KEPT)(lambda path: read_vision(path).to(device))

    def networks(self, request: GenerateRequest) -> Networks:
        """Those of its controls, to be read while the model has only its own weights: control-LoRAs are built on them.

        Raises InvalidRequest for networks that were made for other models.
        """
        return {each.model: self._control(each.model) for each in request.control}

    def aids(self, request: GenerateRequest, sigmas: Sigmas, networks: Networks) -> Aids:
        """What a resolved request wants.  Raises InvalidRequest for what its networks cannot do."""
        if not request.control and not request.ip_adapter:
            return ALONE
        if request.ip_adapter:
            self._unet("ip_adapter")
        groups = together(request.control, networks)
        helpers = [self._helper(group, networks[group[0].model], request, sigmas) for group in groups]
        both = [group[0].mode != "control" for group in groups]
        looks = [self._look(each, place, sigmas) for place, each in enumerate(request.ip_adapter)]
        glances, seen, unseen = zip(*looks, strict=True) if looks else ((), (), ())
        return Aids(tuple(helpers), tuple(compress(helpers, both)), glances, seen, unseen)

    def _helper(
        self, group: Sequence[asked.Control], network: Network, request: GenerateRequest, sigmas: Sigmas
    ) -> Helper:
        control, factor = group[0], self.bundle.autoencoder.spec.factor
        if control.type is not None and not isinstance(network, UnionControlNet):
            raise InvalidRequest("control.type", control.type, f"left out: {control.model.name} is no union ControlNet")
        if isinstance(network, JointControlNet):
            return joint_helper(control, network, request, self.bundle, sigmas)
        wide, high = (side // factor * HINT_FACTOR for side in (request.width or 0, request.height or 0))
        hints = [hint_of(each, (wide, high), channels_of(network)).to(self.device) for each in group]
        times = [acting_from(self.bundle.schedule, sigmas, each.begin, each.end) for each in group]
        soft = control.mode != "balanced"
        if isinstance(network, UnionControlNet):
            kinds = [kind_of(each.type, each.preprocessor, network.kinds) for each in group]
            weights = [each.weight for each in group]
            return UnionControl(network, tuple(map(Sight, hints, kinds, weights, times)), soft)
        if isinstance(network, ControlNet):
            averaged = SHUFFLED in control.model.name.lower()
            return Control(network, hints[0], control.weight, soft, averaged, times[0])
        maps = network(hints[0])
        factors = SOFT_STAGES if soft and len(maps) == len(SOFT_STAGES) else (1.0,) * len(maps)
        weighed = tuple(each * much for each, much in zip(maps, factors, strict=True))
        return Adapted(weighed, control.weight, times[0])

    def _read(self, path: Path) -> Network:
        if isinstance(self.bundle.predictor, MMDiT):
            return joint_network(path, self.bundle).to(self.device)
        base, told = self._unet("control"), control_identity(path)
        own = WORDS.get(base.spec.text_width, "")
        if told.kind != "control-lora" or told.family == own:
            network, told = read_control(path, base)
            if fits(network, base.spec):
                return network.to(self.device)
        families = [FAMILIES.get(name) for name in (own, told.family)]
        mine, other = (family.title if family else "another network" for family in families)
        raise InvalidRequest("control", str(path), f"for {mine}, as {self.bundle.name} is; this one is for {other}")

    def _unet(self, name: str) -> UNet:
        if not isinstance(self.bundle.predictor, UNet):
            raise InvalidRequest(name, "given", f"left out: {self.bundle.name} has no U-Net to be helped")
        return self.bundle.predictor

    def _look(self, prompt: PicturePrompt, place: int, sigmas: Sigmas) -> tuple[Glance, PictureTokens, PictureTokens]:
        """An adapter at work, the tokens of its pictures, and those of nothing."""
        adapter, tower = self._adapter(prompt.model), self._tower(prompt.tower)
        plain, size = adapter.spec.kind == "plain", tower.spec.size
        views = [squared(pixels_of([read_photo(path, "ip_adapter")]), size) for path in prompt.images]
        seen = torch.cat(views).to(self.device)
        features = tower(seen).pooled if plain else tower(seen).states
        if features.shape[-1] != adapter.spec.picture_width:
            wanted = f"a tower that tells {adapter.spec.picture_width} numbers, not {features.shape[-1]}"
            raise InvalidRequest("ip_adapter.encoder", str(prompt.tower), wanted)
        nothing = torch.zeros_like(features) if plain else tower(torch.zeros_like(seen)).states
        interval = acting_from(self.bundle.schedule, sigmas, prompt.begin, prompt.end)
        glance = Glance(adapter, prompt.weight, place, interval)
        return glance, in_a_row(adapter.tokens(features)), in_a_row(adapter.tokens(nothing))


def hint_of(control: asked.Control, size: Size, channels: int) -> Hint:
    """The picture that a control looks at, (1, channels, height, width) in [0, 1]; one channel is grey."""
    picture = prepared(read_photo(control.image, "control.image"), control, size)
    hint = (pixels_of([picture.convert("L").convert("RGB") if channels == 1 else picture]) + 1) / 2
    return hint[:, :channels]


def together(controls: Sequence[asked.Control], networks: Networks) -> list[list[asked.Control]]:
    """Controls by whom they are shown to at once: a union ControlNet sees all of one mode, all others see one."""
    groups: dict[object, list[asked.Control]] = {}
    for place, control in enumerate(controls):
        union = isinstance(networks[control.model], UnionControlNet)
        groups.setdefault((control.model, control.mode) if union else place, []).append(control)
    return list(groups.values())


def fits(network: ControlNetwork, spec: UNetSpec) -> bool:
    """Whether it was made for such a U-Net."""
    if isinstance(network, Onlooker):
        mine = network.spec
        return mine.text_width == spec.text_width and tuple(mine.skips()) == tuple(spec.skips())
    large = spec.text_width == XL_WORDS
    return large == (network.spec.patch == FULL_XL.patch) and network.spec.channels[0] == spec.stages[0].channels


def channels_of(network: ControlNetwork) -> int:
    """Of the picture it looks at."""
    if isinstance(network, Onlooker):
        return network.controlnet_cond_embedding.conv_in.in_channels
    return network.spec.channels_in


def in_a_row(tokens: Float[Tensor, "n m width"]) -> Float[Tensor, "1 _ width"]:
    """The tokens of several pictures, (n, m, width), as those of one: (1, n * m, width)."""
    return tokens.flatten(0, 1)[None]
