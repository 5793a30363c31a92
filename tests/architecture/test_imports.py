"""Importing does nothing, and what must answer at once brings nothing heavy."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import inkwash
from inkwash.cli.main import VERBS

HEAVY = ("torch", "numpy", "PIL", "tyro", "rich")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(inkwash.__path__, "inkwash.")
    if not module.name.endswith("__main__") and ".models" not in module.name
)


def alone(code: str, folder: Path) -> dict[str, object]:
    """What a fresh process finds: `code` fills `found`."""
    program = f"import json, sys\nfound = {{}}\n{code}\nprint(json.dumps(found), file=sys.__stderr__)"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    last: dict[str, object] = json.loads(done.stderr.splitlines()[-1])
    return last


def test_importing_everything_changes_nothing(tmp_path: Path) -> None:
    found = alone(
        f"""
import importlib, os, threading
import torch
def state():
    return [torch.get_rng_state().sum().item(), torch.get_num_threads(), str(torch.get_default_dtype()),
            torch.is_grad_enabled(), threading.active_count(), os.getcwd()]
before, environment = state(), dict(os.environ)
for name in {MODULES!r}:
    importlib.import_module(name)
found["changed"] = [str(pair) for pair in zip(before, state()) if pair[0] != pair[1]]
found["environment"] = sorted(set(os.environ.items()) ^ set(environment.items()))
""",
        tmp_path,
    )
    assert found == {"changed": [], "environment": []}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("calls", "heavy"),
    [
        ([["--help"], ["--version"], ["nothing"]], HEAVY),
        ([["--completion", "bash"], *([verb, "--help"] for verb in VERBS)], ("torch",)),
    ],
)
def test_what_must_answer_at_once_brings_nothing_heavy(
    calls: list[list[str]], heavy: tuple[str, ...], tmp_path: Path
) -> None:
    code = f"""
from inkwash.cli.main import main
found["brought"] = []
for words in {calls!r}:
    main(words)
    found["brought"] += [[*words, name] for name in {heavy!r} if name in sys.modules]
"""
    assert alone(code, tmp_path) == {"brought": []}


SECONDS = """
import resource, subprocess, sys
def used():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
best = []
for _ in range(5):
    before = used()
    subprocess.run([sys.executable, "-m", "inkwash", *sys.argv[1:]], stdout=subprocess.DEVNULL, check=True)
    best.append(used() - before)
print(min(best))
"""


@pytest.mark.parametrize("words", [["--help"], ["--completion", "bash"], ["--version"]])
def test_help_answers_within_a_third_of_a_second_of_cpu(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", SECONDS, *words], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.3
