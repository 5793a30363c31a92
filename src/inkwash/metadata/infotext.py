"""The `parameters` text that other programs read from pictures (the format of AUTOMATIC1111's web UI)."""

import json
from collections.abc import Mapping

from inkwash.metadata.infotext_groups import written
from inkwash.metadata.infotext_values import number, sampler_written, spacing_written
from inkwash.request.generate import GenerateRequest


def parameters(
    request: GenerateRequest, model: str, fingerprint: str, version: str, more: Mapping[str, str] | None = None
) -> str:
    """The prompt, the negative prompt, and one line of settings in the order other programs expect.

    `request` is resolved and for one picture; `fingerprint` is the sha256 of the predictor's file; `more` are settings
    that are not in the request itself.
    """
    varied = request.subseed_strength > 0
    settings = {
        "Steps": request.steps,
        "Sampler": sampler_written(str(request.sampler)),
        "Schedule type": spacing_written(str(request.spacing)),
        "CFG scale": None if request.guidance is None else number(request.guidance),
        "Seed": request.seed,
        "Size": f"{request.width}x{request.height}",
        "Model hash": fingerprint[:10] or None,
        "Model": model,
        "Variation seed": request.subseed if varied else None,
        "Variation seed strength": number(request.subseed_strength) if varied else None,
        "Denoising strength": None if request.strength is None else number(request.strength),
        **written(request),
        **(more or {}),
        "Version": f"inkwash {version}",
    }
    line = ", ".join(f"{key}: {_quoted(str(value))}" for key, value in settings.items() if value is not None)
    unwanted = [f"Negative prompt: {request.negative_prompt}"] if request.negative_prompt else []
    return "\n".join([request.prompt, *unwanted, line])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if set(value) & set(',\n:"') else value
