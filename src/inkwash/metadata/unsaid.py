"""What programs did without a word of it in their pictures."""

from collections.abc import Mapping
from dataclasses import replace

from inkwash.request.generate import GenerateRequest
from inkwash.reverse import names

VERSIONS = ("v1.", "f1.", "f2.")
"""How those of the web UI and of Forge begin."""
COMFY_DISCARDS = ("dpm2", "dpm2_ancestral", "unipc", "unipc_bh1")


def of_web_ui(request: GenerateRequest, settings: Mapping[str, str]) -> GenerateRequest:
    """The web UI and Forge, since they tell their versions: noise of a GPU unless they name another source.

    Variation seeds are mixed column by column, "Automatic" is a spacing by the sampler, and some samplers leave out the
    last level but the 0.
    """
    if settings.get("Version", "").startswith(VERSIONS):
        rng = request.noise.rng if "RNG" in settings else "philox"
        columns = request.noise.columns or request.subseed_strength > 0
        request = replace(request, noise=replace(request.noise, rng=rng, columns=columns))
    if request.sampler and settings.get("Schedule type", "").lower() == "automatic":
        request = replace(request, spacing=names.found_spacing("Automatic", request.sampler))
    return discarding(request, names.DISCARDING)


def of_comfy(request: GenerateRequest) -> GenerateRequest:
    """ComfyUI leaves the last level but the 0 out for other samplers than the web UI."""
    return discarding(request, COMFY_DISCARDS)


def discarding(request: GenerateRequest, samplers: tuple[str, ...]) -> GenerateRequest:
    """The request without the last level but the 0, for some samplers."""
    if request.sampler not in samplers:
        return request
    return replace(request, way=replace(request.way, discard=True))
