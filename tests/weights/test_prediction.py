import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.weights.containers.source import Slot, Source, in_memory
from inkwash.weights.family import Identity
from inkwash.weights.prediction import LAST_NORM, prediction
from inkwash.weights.single import Parts

SD2, SDXL = Identity("checkpoint", "sd2", "paint"), Identity("checkpoint", "sdxl", "paint")
SOURCE = in_memory({})


def spread(much: float) -> Parts:
    values = torch.tensor([much, -much] * 160)
    return Parts({"unet": in_memory({LAST_NORM: values})})


@pytest.mark.parametrize(
    ("identity", "parts", "wanted", "by"),
    [
        (Identity("checkpoint", "sd1", "paint"), Parts({}), "epsilon", "usual"),
        (SD2, spread(0.2), "v_prediction", "weights (spread 0.200)"),
        (SD2, spread(0.05), "epsilon", "weights (spread 0.050)"),
        (replace(SD2, task="inpaint"), spread(0.2), "epsilon", "input"),
        (SDXL, Parts({}), "epsilon", "usual"),
        (SDXL, Parts({}, ("v_pred", "ztsnr")), "v_prediction", "marker v_pred"),
        (SDXL, Parts({}, ("edm_mean", "edm_std")), "edm", "marker edm_mean"),
        (SDXL, Parts({}, ("edm_vpred.sigma_max",)), "v_prediction", "marker edm_vpred.sigma_max"),
        (Identity("checkpoint", "sd3.5-large", "paint"), Parts({}), "flow", "usual"),
        (Identity("checkpoint", "x4-upscaler", "upscale"), Parts({}), "v_prediction", "usual"),
    ],
)
def test_who_knows(identity: Identity, parts: Parts, wanted: str, by: str) -> None:
    found = prediction(SOURCE, identity, parts)
    assert found.prediction == wanted
    assert by in found.by


def test_the_user_is_believed_first_then_what_lies_beside_then_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"  # velocity\n')
    notes = {"modelspec.prediction_type": "epsilon"}
    source = Source(str(path), {"a": Slot("F32", (1,))}, lambda _: torch.zeros(1), notes, files=(path,))
    marked = Parts({}, ("edm_mean",))
    assert prediction(source, SD2, marked, "sample").by == "the user"
    assert prediction(source, SD2, marked).prediction == "v_prediction"
    path.with_suffix(".yaml").write_text("a: !!python/object/apply:os.system ['x']\n")
    assert prediction(source, SD2, marked).prediction == "edm"
    assert prediction(source, SD2, spread(0.2)).by == "modelspec.prediction_type"


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"prediction_type": "v_prediction"}, "v_prediction"),
        ({"prediction_type": "sample"}, "sample"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ({"prediction_type": "nonsense"}, "epsilon"),
        ([], "epsilon"),
    ],
)
def test_the_scheduler_of_a_folder(config: object, wanted: str) -> None:
    source = in_memory({}, {"scheduler/scheduler_config.json": json.dumps(config)})
    assert prediction(source, SDXL, Parts({})).prediction == wanted


def test_the_trainer_of_an_adapter() -> None:
    source = in_memory({}, {"ss_v_parameterization": "True"})
    assert prediction(source, SDXL, Parts({})).prediction == "v_prediction"
