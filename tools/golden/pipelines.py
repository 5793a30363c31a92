"""pipelines.json: whole pictures, from the first noise to the last latents.

Numbers are compared in units of the golden's standard deviation.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inkwash.denoiser import NoisePredictor, guided
from inkwash.guidance import instructed, seen_outside
from inkwash.latent.beside import hole_beside, picture_beside
from inkwash.nn.embedding import guidance_features
from inkwash.predictor.canvas import Canvas
from inkwash.predictor.controlnet import Control, ControlNet
from inkwash.predictor.ip_adapter import Glance, IPAdapter, cross_widths, looking_at_pictures
from inkwash.predictor.mmdit import MMDiT
from inkwash.predictor.picture_tokens import IPAdapterSpec
from inkwash.predictor.residuals import ALWAYS, Steered, window
from inkwash.predictor.skipping import between_steps, once, steered_away, without
from inkwash.predictor.t2i_adapter import FULL, Adapted, T2IAdapter
from inkwash.predictor.unet import UNet
from inkwash.reverse.entry import handed_over
from inkwash.types import Latents
from inkwash.weights.files import Checkpoint
from inkwash.weights.lora import read_changes
from inkwash.weights.patch import Patch
from tools.golden import Case, Verdict
from tools.golden.calls import (
    HIGH,
    OFFSET,
    TRAINED,
    WIDE,
    Begin,
    Call,
    Config,
    autoencoder,
    guidance,
    hint,
    hole,
    in_noise,
    in_picture,
    looked,
    network,
    picture,
    told,
    unet,
    walked,
    with_beside,
    words,
)
from tools.golden.confused import Overtaken
from tools.golden.filling import bare, filled, filling, given
from tools.golden.transformers import NARROW as MMDIT
from tools.golden.unets import NARROW, REFINER, SD1, SD2, XL

RMS, LARGEST = 1e-4, 5e-4
"""Bars in units of the golden's standard deviation."""
Golden = Mapping[str, Any]
Run = Callable[[], Tensor]

V: Config = {"prediction_type": "v_prediction"}


def cases(folder: Path) -> Iterator[Case]:
    """A case for each of pipelines.json."""
    path = folder / "pipelines.json"
    if path.is_file():
        for name, golden in json.loads(path.read_text()).items():
            yield Case(name, partial(verdict, name, golden))


@torch.no_grad()
def verdict(name: str, golden: Golden) -> Verdict:
    """One case, painted anew."""
    if name not in ANSWERS:
        raise NotImplementedError(f"no pipeline for {name}")
    return judged(golden, ANSWERS[name]())


def judged(golden: Golden, found: Tensor) -> Verdict:
    """The root of the mean square, and the largest difference, in shares of their bars; all numbers if they are there.

    Pictures are kept by a corner and by their sums.
    """
    if list(found.shape) != golden["shape"]:
        return Verdict(inf, RMS, f"shape {list(found.shape)}, wanted {golden['shape']}")
    flat, unit = found.double().flatten(), golden["std"]
    corner = torch.tensor(golden["slice"], dtype=torch.float64)
    apart = [(found[0, -1, -3:, -3:].double().flatten() - corner) / unit]
    if golden["full"] is not None:
        apart.append((flat - torch.tensor(golden["full"], dtype=torch.float64)) / unit)
    errors = {
        "rms": max(each.square().mean().sqrt().item() for each in apart),
        "largest": max(each.abs().max().item() for each in apart) * RMS / LARGEST,
        "mean": abs(flat.mean().item() - golden["mean"]) / unit,
        "std": abs(flat.std().item() / unit - 1),
        "sum": abs(flat.abs().sum().item() - golden["sum_abs"]) / len(flat) / unit,
    }
    worst = max(errors, key=lambda each: errors[each])
    return Verdict(errors[worst] if flat.isfinite().all() else inf, RMS, worst)


WORDS1, WORDS2 = words(48), words(64)
WORDS_XL, WORDS_REFINER = told(words(64, pooled=40), 6), told(words(48, pooled=40), 5)
DDIM = Call("DDIMScheduler", {**OFFSET, "clip_sample": False, "set_alpha_to_one": False}, WORDS1)
PNDM = Call("PNDMScheduler", {**OFFSET, "skip_prk_steps": True, "set_alpha_to_one": False}, WORDS1)
EULER = Call("EulerDiscreteScheduler", {**OFFSET, "timestep_spacing": "leading"}, WORDS1)
ANCESTRAL = Call("EulerAncestralDiscreteScheduler", OFFSET, WORDS1)
DPM = Call("DPMSolverMultistepScheduler", OFFSET, WORDS1)
LCM = Call("LCMScheduler", TRAINED, WORDS1, steps=4, scale=1.0)
FLOW = Call("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, words(48, 30, 40), scale=5.0)
XL_EULER = replace(EULER, words=WORDS_XL, scale=5.0)
MICRO = told(
    words(64, pooled=40),
    6,
    (Canvas((1024, 960), (832, 1216), (16, 8)), Canvas((1024, 1024), (512, 512))),
)


def changed(call: Call, config: Config) -> Call:
    """The call with a scheduler of other habits."""
    return replace(call, config={**call.config, **config})


KARRAS: Config = {"use_karras_sigmas": True}
SDE: Config = {**KARRAS, "algorithm_type": "sde-dpmsolver++"}
TRAILING: Config = {"timestep_spacing": "trailing"}


def painted(call: Call, size: tuple[int, int] = (HIGH, WIDE), pictures: int = 1) -> Latents:
    """From noise, by the ordinary U-Net of the words' width."""
    spec = {48: SD1, 64: SD2}[call.words[0].states.shape[-1]]
    if call.words[0].size is not None:
        spec = XL
    wanted, unwanted = (each.repeat(pictures) for each in call.words)
    call = replace(call, words=(wanted, unwanted))
    return walked(call, guidance(call, unet(spec)), in_noise(call, (4, size[0] // 8, size[1] // 8), pictures))


def consistent() -> Latents:
    """By a network that was told how strong guidance is, and needs none."""
    spec, scale = replace(SD1, guidance_width=256), torch.tensor([8.0])
    wanted = replace(WORDS1[0], guidance=guidance_features(scale, spec.guidance_width))
    call = replace(changed(LCM, {"original_inference_steps": 50}), words=(wanted, WORDS1[1]))
    return walked(call, guidance(call, unet(spec)), in_noise(call))


def from_picture(call: Call, strength: float) -> Latents:
    """SD 1 begun from a picture."""
    begin = in_picture(call, "sd", strength)
    ask = guidance(call, unet(SD1))
    if call.scheduler != "PNDMScheduler":
        return walked(call, ask, begin)
    overtaken = Overtaken.of(begin.walk, ask)
    walk = replace(begin.walk, sigmas=overtaken.levels)
    *_, step = walk.sampler(overtaken, begin.x, walk.sigmas, begin.noise)
    return overtaken.true(step.x)


def refilled() -> Latents:
    """Inpainting by a network that sees the hole."""
    call, begin = DDIM, in_noise(DDIM)
    beside = hole_beside(partial(autoencoder("sd").encode, noise=begin.noise), picture(), hole())
    call = replace(call, words=with_beside(call.words, beside))
    return walked(call, guidance(call, unet(replace(SD1, channels_in=9))), begin)


def patched_up() -> Latents:
    """Inpainting by an ordinary network."""
    begin = in_picture(DDIM, "sd", 0.7)
    mask = hole_beside(autoencoder("sd").encode, picture(), hole())[:, :1].double()
    ask = seen_outside(mask, begin.known, begin.eps, guidance(DDIM, unet(SD1)))
    return mask * walked(DDIM, ask, begin) + (1 - mask) * begin.known


def edited() -> Latents:
    """A picture changed by an instruction."""
    predict: NoisePredictor = unet(replace(SD1, channels_in=8))
    seen = picture_beside(autoencoder("sd"), autoencoder("sd").encode(picture()))
    both, look = with_beside(WORDS1, seen)
    neither = replace(look, beside=torch.zeros_like(seen))
    asked, seeing, blind = (network(ANCESTRAL, predict, text) for text in (both, look, neither))
    return walked(ANCESTRAL, instructed(asked, seeing, blind, (ANCESTRAL.scale, 1.5)), in_noise(ANCESTRAL))


def controlled(scale: float = 1.0, soft: bool = False, part: tuple[float, float] = (0.0, 1.0)) -> Latents:
    """By a hint; `soft` leaves the unwanted words without it."""
    begin = in_noise(DDIM)
    interval = ALWAYS if part == (0.0, 1.0) else window(begin.walk.schedule, begin.walk.sigmas, *part)
    helper = Control(filled(bare(lambda: ControlNet(SD1))), hint(), scale, soft, interval=interval)
    steered = Steered(unet(SD1), [helper])
    if not soft:
        return walked(DDIM, guidance(DDIM, steered), begin)
    wanted, unwanted = network(DDIM, steered, WORDS1[0]), network(DDIM, unet(SD1), WORDS1[1])
    return walked(DDIM, guided(wanted, unwanted, DDIM.scale), begin)


def adapted() -> Latents:
    """By a hint that a T2I-Adapter looks at once."""
    adapter = filled(bare(lambda: T2IAdapter(replace(FULL, channels=NARROW))))
    steered = Steered(unet(SD1), [Adapted(tuple(adapter(hint())), 0.8)])
    return walked(DDIM, guidance(DDIM, steered), in_noise(DDIM))


def shown(spec: IPAdapterSpec) -> Latents:
    """By a picture as a prompt."""
    adapter = filled(bare(lambda: IPAdapter(spec)))
    shape = (1, 32) if spec.kind == "plain" else (1, 17, 32)
    away = torch.zeros(shape) if spec.kind == "plain" else given("ipn", (1, *shape))[0]
    wanted, unwanted = (adapter.tokens(each) for each in (given("ipe", (1, *shape))[0], away))
    call = replace(DDIM, words=(replace(WORDS1[0], pictures=(wanted,)), replace(WORDS1[1], pictures=(unwanted,))))
    with looking_at_pictures(unet(SD1), Glance(adapter, 0.6)):
        return walked(call, guidance(call, unet(SD1)), in_noise(call))


def tuned(convolutions: bool) -> Latents:
    """By a network with a LoRA of rank 4 on every attention, and perhaps on its convolutions."""
    changed_one = filled(bare(lambda: UNet(SD1)))
    tensors: dict[str, Tensor] = {}
    for key, weight in changed_one.state_dict().items():
        within = "attentions" in key or (convolutions and "resnets" in key and "conv" in key)
        if key.endswith(".weight") and weight.ndim > 1 and within:
            name, ones = "lora_unet_" + key.removesuffix(".weight").replace(".", "_"), (1,) * (weight.ndim - 2)
            for end, shape in (("down", (4, *weight.shape[1:])), ("up", (len(weight), 4, *ones))):
                tensors[f"{name}.lora_{end}.weight"] = filling(f"{name}.lora_{end}.weight", shape)
            tensors[f"{name}.alpha"] = torch.tensor(2.0)
    changes = read_changes(Checkpoint(tensors, {}), {"predictor": changed_one})
    Patch(changed_one).add("golden", changes["predictor"], 0.7)
    return walked(DDIM, guidance(DDIM, changed_one), in_noise(DDIM))


def begun() -> Latents:
    """The first 0.7 of the way, for a second network to go on."""
    call = replace(XL_EULER, steps=10)
    begin = in_noise(call)
    first, _ = handed_over(begin.walk.schedule, begin.walk.sigmas, 0.7)
    return walked(call, guidance(call, unet(XL)), replace(begin, walk=replace(begin.walk, sigmas=first)))


def gone_on() -> Latents:
    """The rest of the way, by the refiner."""
    call = replace(EULER, words=WORDS_REFINER, scale=5.0, steps=10)
    walk = call.walk
    _, second = handed_over(walk.schedule, walk.sigmas, 0.7)
    x = given("lat", (1, 4, HIGH // 8, WIDE // 8)).double()
    begin = Begin(replace(walk, sigmas=second), x, in_noise(call).noise, torch.zeros_like(x), torch.zeros_like(x))
    return walked(call, guidance(call, unet(REFINER)), begin)


def large(words_and_net: str, strength: float) -> Latents:
    """SDXL or its refiner, begun from a picture."""
    spec, known = {"xl": (XL, WORDS_XL), "refiner": (REFINER, WORDS_REFINER)}[words_and_net]
    call = replace(EULER, words=known, scale=5.0, steps=10)
    return walked(call, guidance(call, unet(spec)), in_picture(call, "xl", strength))


def flowed(call: Call = FLOW, strength: float | None = None, skipping: bool = False) -> Latents:
    """SD 3."""
    mmdit = filled(MMDiT(MMDIT))
    begin = in_noise(call, (16, HIGH // 8, WIDE // 8)) if strength is None else in_picture(call, "sd3", strength)
    if not skipping:
        return walked(call, guidance(call, mmdit), begin)
    answers = once(network(call, mmdit, call.words[0]))
    usual = guided(answers, network(call, mmdit, call.words[1]), call.scale)
    weaker = network(call, without(mmdit, (1,)), call.words[0])
    when = between_steps(begin.walk.sigmas, 0.01, 0.7)
    return walked(call, steered_away(usual, answers, weaker, 2.8, when), begin)


IP = IPAdapterSpec(cross_widths(SD1), text_width=48, picture_width=32)
V_DDIM = replace(changed(DDIM, V), words=WORDS2)
ANSWERS: Mapping[str, Run] = {
    "sd1.ip_adapter": partial(shown, IP),
    "sd1.ip_adapter_plus": partial(shown, replace(IP, kind="plus", tokens=6, inner_width=128)),
    "sd1.lora_kohya_linear": partial(tuned, False),
    "sd1.lora_kohya_conv": partial(tuned, True),
    "sd1.t2i_adapter": adapted,
    "sd1.pndm": partial(painted, PNDM),
    "sd1.ddim": partial(painted, DDIM),
    "sd1.ddim_eta1": partial(painted, replace(DDIM, options={"eta": 1.0})),
    "sd1.euler": partial(painted, EULER),
    "sd1.euler_trailing": partial(painted, changed(EULER, TRAILING)),
    "sd1.euler_karras": partial(painted, changed(EULER, KARRAS)),
    "sd1.euler_a": partial(painted, ANCESTRAL),
    "sd1.dpmpp_2m": partial(painted, DPM),
    "sd1.dpmpp_2m_karras": partial(painted, changed(DPM, KARRAS)),
    "sd1.dpmpp_2m_sde_karras": partial(painted, changed(DPM, SDE)),
    "sd1.unipc": partial(painted, replace(DPM, scheduler="UniPCMultistepScheduler")),
    "sd1.heun": partial(painted, replace(DPM, scheduler="HeunDiscreteScheduler")),
    "sd1.lms": partial(painted, replace(DPM, scheduler="LMSDiscreteScheduler")),
    "sd1.rescale0.7": partial(painted, replace(DDIM, rescale=0.7)),
    "sd1.batch2": partial(painted, DDIM, pictures=2),
    "sd1.no_cfg": partial(painted, replace(DDIM, scale=1.0)),
    "sd1.image": lambda: looked("sd", painted(DDIM)),
    "sd1.lcm": consistent,
    "sd1.lcm_lora_style": partial(painted, LCM),
    "sd1.odd_size": partial(painted, DDIM, size=(104, 72)),
    "sd1.img2img_0.6": partial(from_picture, replace(PNDM, steps=10), 0.6),
    "sd1.img2img_euler_a": partial(from_picture, replace(ANCESTRAL, steps=10), 0.6),
    "sd1.inpaint9": refilled,
    "sd1.inpaint4_0.7": patched_up,
    "sd1.ip2p": edited,
    "sd1.controlnet": partial(controlled, 0.8),
    "sd1.controlnet_guess": partial(controlled, soft=True),
    "sd1.controlnet_window": partial(controlled, part=(0.2, 0.7)),
    "sd2.v_ddim": partial(painted, V_DDIM),
    "sd2.v_dpmpp_2m": partial(painted, replace(changed(DPM, V), words=WORDS2)),
    "sd2.v_zsnr": partial(painted, replace(changed(V_DDIM, {**TRAILING, "rescale_betas_zero_snr": True}), rescale=0.7)),
    "sdxl.euler": partial(painted, XL_EULER),
    "sdxl.micro": partial(painted, replace(XL_EULER, words=MICRO)),
    "sdxl.dpmpp_2m_karras": partial(painted, replace(changed(DPM, KARRAS), words=WORDS_XL, scale=5.0)),
    "sdxl.turbo_1step": partial(painted, replace(changed(ANCESTRAL, TRAILING), words=WORDS_XL, scale=1.0, steps=1)),
    "sdxl.lightning_4": partial(painted, replace(changed(XL_EULER, TRAILING), scale=1.0, steps=4)),
    "sdxl.denoising_end": begun,
    "sdxl.img2img": partial(large, "xl", 0.5),
    "refiner.img2img": partial(large, "refiner", 0.3),
    "refiner.denoising_start": gone_on,
    "sd3.euler": flowed,
    "sd3.euler_4step_nocfg": partial(flowed, replace(FLOW, steps=4, scale=1.0)),
    "sd3.image": lambda: looked("sd3", flowed()),
    "sd3.img2img": partial(flowed, replace(FLOW, steps=10), 0.6),
    "sd3.slg": partial(flowed, skipping=True),
    "sd3.heun": partial(flowed, replace(FLOW, scheduler="FlowMatchHeunDiscreteScheduler")),
}
