"""Trajectories against diffusers 0.42.1, whose final samples are kept in tests/golden/schedulers.json.

Levels, what the network is told, the number of calls and the last sample: `tools.golden.schedulers` compares them, here
for a few cases of every class and option, and for all of them among the slow tests.
"""

from pathlib import Path

import pytest

from tools.golden import Case
from tools.golden.schedulers import cases

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = list(cases(GOLDEN))
NAMES = [case.name for case in CASES]


def kind(name: str) -> tuple[str, ...]:
    """A case but for its number of steps and its target."""
    return tuple(part for part in name.split() if not part.startswith(("n=", "prediction_type=")))


def steps(case: Case) -> int:
    return int(case.name.split("n=")[1].split()[0])


FEW = list({kind(case.name): case for case in sorted(CASES, key=steps, reverse=True) if steps(case) > 1}.values())
"""The shortest of each kind."""


RARE = list(cases(GOLDEN / "options"))
"""Keys that no released model of Stable Diffusion needs, and one of each: made as the others are."""


@pytest.mark.parametrize("case", RARE, ids=[case.name for case in RARE])
def test_rare_keys_do_what_they_do_in_diffusers(case: Case) -> None:
    verdict = case.run()
    assert verdict.error <= verdict.bar, verdict.note


@pytest.mark.parametrize("case", FEW, ids=[case.name for case in FEW])
def test_the_last_sample_is_diffusers(case: Case) -> None:
    verdict = case.run()
    assert verdict.error <= verdict.bar, verdict.note


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_last_sample_is_diffusers(case: Case) -> None:
    assert case.run().passed


def test_all_classes_are_there() -> None:
    assert len({name.split()[0] for name in NAMES}) == 20
    assert len(CASES) == 280


def test_a_folder_without_the_file_has_no_cases(tmp_path: Path) -> None:
    assert list(cases(tmp_path)) == []
