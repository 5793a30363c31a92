"""Controls as the web UI's ControlNet extension writes them into pictures."""

from collections.abc import Mapping

from inkwash.request.control import Control, filled
from inkwash.request.generate import GenerateRequest
from inkwash.request.picture_prompt import PicturePrompt

MODULES: Mapping[str, str] = {
    "lineart": "lineart_standard (from white bg & black line)",
    "scribble": "scribble_xdog",
    "invert": "invert (from white bg & black line)",
    "grey": "recolor_luminance",
    "grid": "t2ia_color_grid",
    "tile": "tile_resample",
    "blur": "blur_gaussian",
    "depth": "none",
}
"""Where names differ."""
MODES: Mapping[str, str] = {
    "balanced": "Balanced",
    "prompt": "My prompt is more important",
    "control": "ControlNet is more important",
}
RESIZES: Mapping[str, str] = {"crop": "Crop and Resize", "stretch": "Just Resize", "pad": "Resize and Fill"}
LOOK = "ip-adapter_clip"


def units(request: GenerateRequest) -> dict[str, str]:
    """ControlNet 0, ControlNet 1 … with their settings."""
    rows = [_control(filled(each)) for each in request.control] + [_look(each) for each in request.ip_adapter]
    return {f"ControlNet {n}": ", ".join(f"{key}: {value}" for key, value in row.items()) for n, row in enumerate(rows)}


def _control(control: Control) -> dict[str, str]:
    found = {
        "Module": MODULES.get(control.preprocessor, control.preprocessor),
        "Model": control.model.stem,
        "Weight": f"{control.weight:g}",
        "Resize Mode": RESIZES[control.resize],
    }
    for name, value in (("Threshold A", control.threshold_a), ("Threshold B", control.threshold_b)):
        if value is not None:
            found[name] = f"{value:g}"
    return found | {
        "Guidance Start": f"{control.begin:g}",
        "Guidance End": f"{control.end:g}",
        "Pixel Perfect": "True",
        "Control Mode": MODES[control.mode],
    }


def _look(look: PicturePrompt) -> dict[str, str]:
    return {
        "Module": LOOK,
        "Model": look.model.stem,
        "Weight": f"{look.weight:g}",
        "Guidance Start": f"{look.begin:g}",
        "Guidance End": f"{look.end:g}",
    }
