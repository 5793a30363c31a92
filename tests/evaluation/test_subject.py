from pathlib import Path

import numpy as np
import pytest
import torch

from inkwash.cli.main import main
from inkwash.evaluation.result import read_json
from inkwash.evaluation.subject import settings, subject_of
from inkwash.evaluation.views import Eyes
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.weights.manifest import Defaults


def test_a_subject_paints_what_a_user_would_get(engine: Engine) -> None:
    prompts, seeds = ["a photo of a cat", "a photo of a beagle dog"], [3, 7]
    pictures = subject_of(engine).paint(prompts, seeds)
    assert pictures.dtype == torch.uint8
    for picture, prompt, seed in zip(pictures, prompts, seeds, strict=True):
        alone = np.array(engine.paint(GenerateRequest(prompt=prompt, seed=seed))[0].image, dtype=np.int16)
        apart = np.abs(picture.permute(1, 2, 0).numpy().astype(np.int16) - alone)
        assert apart.max() <= 1  # sums run in another order in another batch


def test_settings_are_told_in_a_line() -> None:
    plain = Defaults(width=128, height=128, steps=25, sampler="heun", spacing="karras", guidance=2.5)
    assert settings(plain) == "heun, karras, 25 steps, guidance 2.5, 128x128"
    within = Defaults(width=128, height=128, guidance_from=0.3, guidance_until=5.0)
    assert settings(within) == "dpmpp_2m, karras, 25 steps, guidance 7 for sigma from 0.3 to 5, 128x128"


def test_the_command_line_measures_a_model_from_end_to_end(
    data: Path,
    eyes: Eyes,
    tiny_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Eyes, "lite2", lambda: eyes)  # the real eyes take minutes
    words = ["evaluate", str(tiny_folder), "--data", str(data), "--pictures", "40", "--out", str(tmp_path / "out")]
    assert main([*words, "--json", str(tmp_path / "tiny.json"), "--card", str(tmp_path / "CARD.md")]) == 0
    found = read_json(tmp_path / "tiny.json")
    assert (found.model, found.pictures) == ("tiny", 40)
    told = capsys.readouterr().out
    assert told.startswith("tiny: 40 pictures, euler, sgm_uniform, 3 steps, guidance 2, 32x32")
    for path in (tmp_path / "tiny.json", tmp_path / "out" / "neighbours.png", tmp_path / "CARD.md"):
        assert path.is_file()
        assert str(path) in told
