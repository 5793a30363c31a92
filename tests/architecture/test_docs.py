"""The documentation explains every word of the field, with the real source, and names only what exists."""

import re
from pathlib import Path

import pytest

from inkwash.cli.main import VERBS
from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.spacing import SPACINGS
from tools.source import DIRECTIVE, block

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WORDS = (
    "forward-diffusion",
    "noise-schedule",
    "noise-predictor",
    "reverse-diffusion",
    "latent-space",
    "text-conditioning",
    "guidance",
    "training",
)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_a_page_with_a_picture_and_the_source(word: str) -> None:
    text = (DOCS / f"concepts/{word}.md").read_text()
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", text)
    assert pictures
    assert all((DOCS / "concepts" / picture).is_file() for picture in pictures)
    assert DIRECTIVE.search(text)


@every_page
def test_shown_source_exists(page: Path) -> None:
    for name in DIRECTIVE.findall(page.read_text()):
        assert block(name).startswith("```python")


@every_page
def test_pages_are_in_the_menu(page: Path) -> None:
    assert str(page.relative_to(DOCS)) in (ROOT / "mkdocs.yml").read_text()


@every_page
def test_every_command_exists(page: Path) -> None:
    typed = "\n".join(re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL))
    assert set(re.findall(r"^inkwash (\w+)", typed, re.MULTILINE)) <= set(VERBS)


def test_every_verb_is_shown_somewhere() -> None:
    told = "\n".join(page.read_text() for page in PAGES)
    assert [verb for verb in VERBS if f"inkwash {verb}" not in told] == []


def test_every_sampler_is_explained() -> None:
    told = (DOCS / "concepts/reverse-diffusion.md").read_text()
    assert [name for name in SAMPLERS if f"| `{name}` |" not in told] == []


def test_every_spacing_is_explained() -> None:
    told = (DOCS / "concepts/reverse-diffusion.md").read_text()
    assert [name for name in SPACINGS if f"`{name}`" not in told] == []


def test_the_level_that_a_page_quotes_is_right() -> None:
    assert f"σ = {DiscreteSchedule.scaled_linear().sigma_max:.1f}" in (DOCS / "concepts/noise-schedule.md").read_text()


def test_every_package_has_its_reference() -> None:
    told = "\n".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    parts = {path.stem for path in (ROOT / "src/inkwash").iterdir() if path.stem not in ("__init__", "__pycache__")}
    missing = {part for part in parts - {"__main__", "models", "py"} if f"::: inkwash.{part}\n" not in told}
    assert missing == set()


def test_samplers_work_by_themselves_as_the_guide_shows(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"^```python\n(.*?)^```$", (DOCS / "guides/python.md").read_text(), re.MULTILINE | re.DOTALL)
    alone = next(part for part in code if "best_guess" in part)
    exec(compile(alone, "docs/guides/python.md", "exec"), {})
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d*", capsys.readouterr().out)]
    assert len(numbers) == 8
    assert all(abs(abs(number) - 1) < 0.05 for number in numbers)
    assert {number > 0 for number in numbers} == {True, False}
