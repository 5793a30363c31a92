"""What settings are called in `parameters` texts: written and read by one table.

Names are those of the web UI, of Forge and its relatives, SD.Next and stable-diffusion.cpp; where nobody has a name, it
is in their style.
"""

from inkwash.metadata import infotext_values as look
from inkwash.metadata.infotext_note import NOTHING, Note, Switch, eta, flag, one, only, real, whole
from inkwash.metadata.infotext_values import number, row, size, sized, words
from inkwash.request.guidance import AMOUNTS
from inkwash.reverse import names
from inkwash.weights.manifest import ABOVE_ALL

FREE = Switch("freeu_enabled", lambda request: request.freeu.acts)
PERTURBED = Switch("PerturbedAttentionGuidance_enabled", lambda request: request.pag.scale > 0)
THRESHOLDED = Switch(
    "dynthres_enabled",
    lambda request: request.rules.mimic is not None,
    {"dynthres_mimic_mode": "Constant", "dynthres_cfg_mode": "Constant"},  # scales that change are Forge's alone
)
WINDOWED = Switch(
    "multidiffusion_enabled",
    lambda request: request.tiling.window is not None,
    {"multidiffusion_method": "MultiDiffusion"},
)
EVERY_STEP = Switch("NGMS all steps", lambda request: bool(request.guidance_from))
"""Without it the web UI guides at every other step."""

LOWEST, HIGHEST, ZEROS = "NGMS", "Negative Guidance maximum sigma", "Zero empty negative"

NOTES: tuple[Note, ...] = (
    whole("clip_skip", "Clip skip"),
    one("weighting", "Emphasis", look.EMPHASES.get, look.back(look.EMPHASES)),
    Note("Parser", look.parser_written, lambda text: {"prompt_mode": {"a1111": "a1111", "literal": "literal"}[text]}),
    real("image_guidance", "Image CFG scale"),
    one("noise.resize_from", "Seed resize from", sized, size),
    whole("noise.delta", "ENSD"),
    Note(
        "RNG",
        lambda request: look.RNGS[request.noise.rng] if request.noise != NOTHING.noise else None,
        lambda text: {"noise.rng": "philox" if text in look.OF_GPU else look.back(look.RNGS)(text)},
    ),
    flag("noise.columns", "Variation by columns"),
    flag("noise.tree", "Brownian tree"),
    Note("Refiner", look.refiner_written, look.refiner_read),
    Note(
        "Refiner switch at",
        lambda request: number(request.refiner.switch_at) if request.refiner.model else None,
        lambda text: {"refiner.switch_at": float(text)},
    ),
    eta("Eta", of_ddim=False),
    eta("Eta DDIM", of_ddim=True),
    real("way.s_churn", "Sigma churn"),
    real("way.s_tmin", "Sigma tmin"),
    real("way.s_tmax", "Sigma tmax"),
    real("way.s_noise", "Sigma noise"),
    flag("way.discard", "Discard penultimate sigma"),
    one("way.plan", "Scheduler plan"),
    *(real(f"freeu.{name}", f"freeu_{name}", switch=FREE) for name in AMOUNTS),
    one("freeu.version", "FreeU version"),
    real("pag.scale", "PerturbedAttentionGuidance_scale", switch=PERTURBED),
    Note("PAG scale", lambda _: None, lambda text: {"pag.scale": float(text)}),  # SD.Next's
    one("pag.layers", "PAG layers", "; ".join, words),
    real("pag.adaptive", "PAG adaptive"),
    real("rules.mimic", "dynthres_mimic_scale", switch=THRESHOLDED),
    real("rules.percentile", "dynthres_threshold_percentile", switch=THRESHOLDED),
    real("rules.rescale", "CFG Rescale", "CFG rescale", "Rescale CFG", "latent_modifier_rescale_cfg_phi"),
    flag("rules.projected", "APG"),
    real("rules.parallel", "APG eta"),
    real("rules.largest", "APG norm threshold"),
    real("rules.momentum", "APG momentum"),
    real("slg.scale", "SLG scale"),
    one("slg.layers", "Skip layers", row, look.numbers),
    real("slg.start", "Skip layer start"),
    real("slg.stop", "Skip layer end"),
    real("guidance_from", LOWEST, switch=EVERY_STEP),
    Note(
        HIGHEST,
        lambda request: None if (until := request.guidance_until or ABOVE_ALL) >= ABOVE_ALL else number(until),
        lambda text: {"guidance_until": float(text)},
    ),
    Note(
        ZEROS,
        lambda request: "True" if request.silence and not request.negative_prompt else None,
        lambda text: {"silence": look.is_true(text)},
    ),
    one("micro.original", "SDXL original size", sized, size),
    one("micro.corner", "SDXL crop", sized, size),
    one("micro.target", "SDXL target size", sized, size),
    real("micro.aesthetic", "SDXL aesthetic score"),
    real("micro.aesthetic_away", "SDXL negative aesthetic score"),
    one("prediction", "Prediction type"),
    one("distilled", "Distillation"),
    one("variant", "Weights variant"),
    whole("hints.noise_level", "Upscaler noise level"),
    one("tiling.seamless", "Tiling", look.AROUND.__getitem__, look.back(look.AROUND)),
    whole("tiling.window", "multidiffusion_tile_width", switch=WINDOWED),
    whole("tiling.window", "multidiffusion_tile_height", switch=WINDOWED),
    whole("tiling.overlap", "multidiffusion_tile_overlap", switch=WINDOWED),
    whole("tiling.decode", "VAE tile size"),
    flag("memory.tiled", "VAE tiling"),
    flag("memory.in_turn", "Guidance in turn"),
    *(whole(f"outpaint.{side}", f"Outpaint {side}") for side in ("left", "right", "up", "down")),
    whole("inpaint.blur", "Mask blur"),
    one(
        "inpaint.fill",
        "Masked content",
        look.CONTENTS.__getitem__,
        look.back({**look.CONTENTS, "original": "original"}),
    ),
    one("inpaint.only_masked", "Inpaint area", *only("Only masked")),
    whole("inpaint.padding", "Masked area padding"),
    one("inpaint.invert", "Mask mode", *only("Inpaint not masked")),
    flag("inpaint.soft", "Soft inpainting enabled"),
    real("hires.scale", "Hires upscale"),
    Note("Hires resize", look.resized_written, look.resized_read),
    real("hires.strength", "Denoising strength"),
    whole("hires.steps", "Hires steps"),
    one("hires.upscaler", "Hires upscaler"),
    one("hires.sampler", "Hires sampler", look.sampler_written, lambda name: names.found(name).sampler),
    one("hires.spacing", "Hires schedule type", look.spacing_written, lambda name: names.found_spacing(name, "")),
    real("hires.guidance", "Hires CFG Scale"),
    one("hires.prompt", "Hires prompt"),
    one("hires.negative_prompt", "Hires negative prompt"),
    one("written.prompt", "Template"),
    one("written.negative_prompt", "Negative Template"),
)
