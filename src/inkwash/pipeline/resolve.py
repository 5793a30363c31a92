"""A request without gaps: the model's defaults and a real seed filled in, and what the model can paint checked."""

from dataclasses import replace
from typing import TypeVar

from inkwash.errors import InvalidRequest
from inkwash.pipeline.beside import told_beside, wanted_beside
from inkwash.pipeline.called import called_loras, called_words
from inkwash.pipeline.enlarging import filled
from inkwash.pipeline.fitting import fit
from inkwash.pipeline.placing import placed, usual_strength
from inkwash.request.control import filled as filled_control
from inkwash.request.generate import GenerateRequest
from inkwash.request.seeds import chosen_seed
from inkwash.reverse.naming import chosen
from inkwash.text.prompt import is_plain
from inkwash.text.tokenizer import Tokenizer
from inkwash.text.tree import Weighting
from inkwash.weights.bundle import Bundle

Value = TypeVar("Value")
IMAGE_GUIDANCE = 1.5


def resolved(request: GenerateRequest, bundle: Bundle) -> GenerateRequest:
    """Every None that the model can answer becomes its answer; -1 and None seeds become numbers.

    Raises InvalidRequest for a size the model cannot paint.
    """
    own, edits = bundle.defaults, wanted_beside(bundle) == "picture"
    sampler, spacing = chosen(request.sampler, request.spacing, (own.sampler, own.spacing))
    request = placed(told_beside(request, bundle), bundle)
    full = replace(
        request,
        negative_prompt=_or(request.negative_prompt, own.negative_prompt),
        width=_or(request.width, own.width),
        height=_or(request.height, own.height),
        steps=_or(request.steps, own.steps),
        sampler=sampler,
        spacing=spacing,
        guidance=float(_or(request.guidance, own.guidance)),
        guidance_from=float(_or(request.guidance_from, own.guidance_from)),
        guidance_until=float(_or(request.guidance_until, own.guidance_until)),
        seed=chosen_seed(request.seed),
        subseed=chosen_seed(request.subseed) if request.subseed_strength else None,
        silence=_or(request.silence, own.silence),
        strength=None if request.image is None else _or(request.strength, usual_strength(request, bundle)),
        image_guidance=_or(request.image_guidance, IMAGE_GUIDANCE) if edits else None,
        control=tuple(map(filled_control, request.control)),
    )
    if request.image_guidance is not None and not edits:
        raise InvalidRequest("image_guidance", request.image_guidance, f"left out: {bundle.name} takes no instructions")
    fit(full, bundle)
    full = _read(full, bundle.text.tokenizer)
    called_loras(full)  # a name that stands for nothing is told before anything is painted
    for name, size in (("width", full.width), ("height", full.height)):
        if size is None or size % bundle.multiple:
            raise InvalidRequest(name, size, f"a multiple of {bundle.multiple}")
    return replace(full, hires=filled(full, bundle))


def _read(request: GenerateRequest, tokenizer: Tokenizer) -> GenerateRequest:
    """How its prompts are read: literally, where that is what they mean anyway."""
    mode = request.prompt_mode
    if mode is None:
        prompts = (request.prompt, request.negative_prompt or "")
        plain = not called_words(request) and all(is_plain(each) and tokenizer.fits(each) for each in prompts)
        mode = "literal" if plain else "native"
    weighting: Weighting | None = request.weighting or (None if mode == "literal" else "a1111")
    return replace(request, prompt_mode=mode, weighting=weighting)


def _or(value: Value | None, default: Value) -> Value:
    return default if value is None else value
