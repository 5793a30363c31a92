"""The `parameters` text that other programs read from pictures (the format of AUTOMATIC1111's web UI)."""

import json
from collections.abc import Mapping

from inkwash.metadata.asides import asides
from inkwash.metadata.infotext_groups import SPACINGS, written
from inkwash.request.generate import GenerateRequest
from inkwash.reverse.names import LABELS


def parameters(
    request: GenerateRequest, model: str, fingerprint: str, version: str, more: Mapping[str, str] | None = None
) -> str:
    """The prompt, the negative prompt, and one line of settings in the order other programs expect.

    `request` is resolved and for one picture; `fingerprint` is the sha256 of the predictor's file; `more` are settings
    that are not in the request itself.
    """
    sampler, spacing = str(request.sampler), str(request.spacing)
    varied = request.subseed_strength > 0
    strength = request.hires.strength if request.hires.acts else request.strength
    settings = {
        "Steps": request.steps,
        "Sampler": LABELS.get(sampler, sampler),
        "Schedule type": SPACINGS.get(spacing, spacing.capitalize()),
        "CFG scale": f"{request.guidance:g}",
        "Seed": request.seed,
        "Size": f"{request.width}x{request.height}",
        "Model hash": fingerprint[:10] or None,
        "Model": model,
        "Variation seed": request.subseed if varied else None,
        "Variation seed strength": f"{request.subseed_strength:g}" if varied else None,
        "Denoising strength": None if strength is None else f"{strength:g}",
        "Clip skip": request.clip_skip if (request.clip_skip or 1) > 1 else None,
        "Emphasis": "No norm" if request.weighting == "plain" else None,
        "Image CFG scale": None if request.image_guidance is None else f"{request.image_guidance:g}",
        **asides(request),
        **written(request),
        **(more or {}),
        "Version": f"inkwash {version}",
    }
    line = ", ".join(f"{key}: {_quoted(str(value))}" for key, value in settings.items() if value is not None)
    unwanted = [f"Negative prompt: {request.negative_prompt}"] if request.negative_prompt else []
    return "\n".join([request.prompt, *unwanted, line])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if set(value) & set(',\n:"') else value
