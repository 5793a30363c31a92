"""Narrow twins of the released transformers against numbers made by diffusers and transformers."""

import json
from pathlib import Path

import pytest
import torch

from tools.golden.transformers import FORWARDS, cases

STORED = Path(__file__).parents[2] / "golden" / "transformers.json"
GOLDEN = json.loads(STORED.read_text())


def test_every_forward_has_a_golden() -> None:
    assert list(GOLDEN) == list(FORWARDS)


@pytest.mark.parametrize("name", FORWARDS)
def test_answers_are_those_of_the_others(name: str) -> None:
    golden = GOLDEN[name]
    with torch.no_grad():
        found = FORWARDS[name](name).answer
    picked = found.flatten()[:: golden["stride"]]
    assert (picked - torch.tensor(golden["values"])).abs().max() <= 1e-5 * golden["largest"]


def test_a_folder_is_judged_case_by_case(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(json.dumps({**GOLDEN, "unet.sd1": {}}))
    verdicts = {case.name: case.run() for case in cases(tmp_path)}
    assert verdicts.keys() == GOLDEN.keys()
    assert all(verdict.passed for verdict in verdicts.values())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("params", 1),
        ("tensors", 1),
        ("keys_crc", 1),
        ("shape", [2, 77, 63]),
        ("sum_abs", 7964.4),
        ("head", [1.0341, *GOLDEN["clip.l.last"]["head"][1:]]),
    ],
)
def test_a_wrong_number_fails(tmp_path: Path, field: str, value: object) -> None:
    (tmp_path / "models.json").write_text(json.dumps({"clip.l.last": {**GOLDEN["clip.l.last"], field: value}}))
    (case,) = cases(tmp_path)
    assert not case.run().passed


def test_a_folder_without_models_has_no_cases(tmp_path: Path) -> None:
    assert list(cases(tmp_path)) == []
