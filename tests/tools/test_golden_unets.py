"""Every convolutional network, narrow, against numbers that diffusers 0.42.1 gave; and the judge itself."""

import json
import zlib
from math import inf
from pathlib import Path

import pytest
from torch import nn

from tools.golden.filling import drawn, filled, filling, goldens, judged, whole
from tools.golden.unets import ANSWERS, cases, run

FOLDER = Path(__file__).parents[1] / "golden" / "unets"
NAMES = [case.name for case in cases(FOLDER)]


def test_no_network_is_without_numbers() -> None:
    assert set(NAMES) == {name for name in ANSWERS if not name.startswith("REAL.")}


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_diffusers(name: str) -> None:
    verdict = run(FOLDER, name)
    assert verdict.passed, f"{verdict.error} {verdict.note}"


def test_the_generator_is_the_one_that_the_rule_means() -> None:
    first = drawn("conv_in.weight", (32, 4, 3, 3)).flatten()[:4].tolist()
    assert first == pytest.approx([0.114045702, -1.28280604, -1.27279592, -0.114320435], abs=1e-7)


def test_norms_are_filled_around_one_and_matrices_by_their_width() -> None:
    assert filling("a.norm.weight", (1000,)).mean().item() == pytest.approx(1, abs=0.02)
    assert filling("a.norm.bias", (1000,)).mean().item() == pytest.approx(0, abs=0.02)
    assert filling("layers.0.1.0.weight", (1000,)).mean().item() == pytest.approx(0, abs=0.02)
    assert filling("a.weight", (50, 16)).std().item() == pytest.approx(0.25, rel=0.1)
    assert filling("token_embedding.weight", (50, 16)).std().item() == pytest.approx(0.5, rel=0.1)


def test_the_judge_finds_what_is_wrong(tmp_path: Path) -> None:
    network = filled(nn.Linear(3, 4))
    found = network(drawn("x", (5, 3)))
    flat = found.double().flatten()
    golden = {
        "shape": [5, 4],
        "params": 16,
        "tensors": 2,
        "keys_crc": zlib.crc32(b"bias [4]\nweight [4, 3]"),
        "sum_abs": flat.abs().sum().item(),
        "std": flat.std().item(),
        "mean": flat.mean().item(),
        "head": flat[:6].tolist(),
        "tail": flat[-6:].tolist(),
    }
    assert judged(golden, found, found, network).error < 1e-12
    off = found.clone()
    off[2, 2] += 1e-3
    assert not judged(golden, found, off, network).passed
    assert not judged(golden, off, found, network).passed
    renamed = judged(golden, None, found, network, rename=lambda name: f"other.{name}")
    assert renamed.error == inf
    assert "keys_crc" in renamed.note
    assert judged({**golden, "params": 17}, None, found, network).note == "params 16, wanted 17"
    assert not judged(golden, None, found.new_full((5, 4), float("nan")), network).passed


def test_a_folder_without_goldens_has_no_cases(tmp_path: Path) -> None:
    assert goldens(tmp_path) == {}
    assert whole(tmp_path, "unet.sd1") is None
    (tmp_path / "models.json").write_text(json.dumps({"unet.sd9": {}, "clip.l.last": {}}))
    (case,) = cases(tmp_path)
    assert case.name == "unet.sd9"
    with pytest.raises(NotImplementedError, match=r"no network for unet\.sd9"):
        case.run()
