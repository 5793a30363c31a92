"""Whole pipelines on narrow networks against numbers made by diffusers 0.42.1; all of them among the slow tests."""

import json
from math import inf
from pathlib import Path

import pytest
import torch

from tools.golden.pipelines import ANSWERS, cases, judged

FOLDER = Path(__file__).parents[2] / "golden"
CASES = {case.name: case for case in cases(FOLDER)}
QUICK = ("sd3.slg", "sd3.img2img", "sd1.lcm_lora_style")
WITHOUT_NUMBERS = {"sd1.lora_kohya_linear"}


@pytest.mark.parametrize("name", QUICK)
def test_the_last_latents_are_those_of_diffusers(name: str) -> None:
    verdict = CASES[name].run()
    assert verdict.passed, f"{verdict.error} {verdict.note}"


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_all_last_latents_are_those_of_diffusers(name: str) -> None:
    verdict = CASES[name].run()
    assert verdict.passed, f"{verdict.error} {verdict.note}"


def test_no_pipeline_is_without_numbers() -> None:
    assert set(CASES) == set(ANSWERS) - WITHOUT_NUMBERS


def test_the_judge_finds_what_is_wrong() -> None:
    found = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    flat = found.double().flatten()
    golden = {
        "shape": [1, 4, 6, 5],
        "sum_abs": flat.abs().sum().item(),
        "mean": flat.mean().item(),
        "std": flat.std().item(),
        "slice": found[0, -1, -3:, -3:].flatten().tolist(),
        "full": flat.tolist(),
    }
    assert judged(golden, found).error < 1e-12
    off = found.clone()
    off[0, 0, 0, 0] += 6e-4
    assert judged(golden, off).note == "largest"
    assert not judged(golden, off).passed
    assert not judged(golden, found + 2e-4).passed
    assert judged({**golden, "full": None}, off).passed  # a single number elsewhere than in the corner
    assert not judged({**golden, "full": None}, found * 1.001).passed
    assert judged(golden, found[:, :3]).error == inf
    assert not judged(golden, torch.full_like(found, torch.nan)).passed


def test_unknown_names_and_empty_folders(tmp_path: Path) -> None:
    assert list(cases(tmp_path)) == []
    (tmp_path / "pipelines.json").write_text(json.dumps({"sd9.euler": {}}))
    (case,) = cases(tmp_path)
    with pytest.raises(NotImplementedError, match=r"no pipeline for sd9\.euler"):
        case.run()
