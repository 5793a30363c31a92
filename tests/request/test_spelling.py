from dataclasses import replace
from pathlib import Path

import pytest

from inkwash.errors import InvalidRequest
from inkwash.metadata.record import read_record
from inkwash.pipeline.engine import Engine
from inkwash.request.generate import GenerateRequest
from inkwash.request.jsons import from_json, to_json
from inkwash.request.spelling import spelled
from inkwash.request.templates import Templates, Written

ASKED = GenerateRequest(prompt="a photo of a {cat|dog}", seed=3)


@pytest.fixture
def styles(tmp_path: Path) -> Path:
    (tmp_path / "styles.csv").write_text('name,prompt,negative_prompt\nink,"{prompt}, in ink",blur\n')
    return tmp_path / "styles.csv"


def test_without_templates_nothing_changes() -> None:
    assert list(spelled(ASKED)) == [ASKED]
    assert "templates" not in to_json(ASKED)
    assert "written" not in to_json(ASKED)


def test_choices_are_made_for_every_picture_by_its_seed() -> None:
    asked = replace(ASKED, count=12, templates=Templates(choices=True))
    found = list(spelled(asked))
    assert [each.seed for each in found] == list(range(3, 15))
    assert {each.prompt for each in found} == {"a photo of a cat", "a photo of a dog"}
    assert {each.written for each in found} == {Written(prompt=ASKED.prompt)}
    alone = list(spelled(replace(asked, seed=9, count=1)))
    assert alone == found[6:7]


def test_styles_wildcards_and_a_matrix_together(styles: Path) -> None:
    (styles.parent / "pet.txt").write_text("cat\n")
    asked = GenerateRequest(
        prompt="a __pet__|asleep",
        seed=5,
        templates=Templates(wildcards=styles.parent, styles=styles, style=("ink",), matrix=True),
    )
    found = list(spelled(asked))
    assert [each.prompt for each in found] == ["a cat", "a cat, asleep, in ink"]
    assert [each.negative_prompt for each in found] == ["blur", "blur"]
    assert {each.seed for each in found} == {5}
    assert {each.templates for each in found} == {Templates()}


def test_a_matrix_without_a_seed_has_one_for_all() -> None:
    asked = replace(ASKED, prompt="a cat|asleep|in ink", seed=None, templates=Templates(matrix=True))
    found = list(spelled(asked))
    assert len(found) == 4
    assert len({each.seed for each in found}) == 1


def test_the_picture_knows_both_prompts_and_is_painted_again(engine: Engine, tmp_path: Path) -> None:
    (painting,) = engine.paint(replace(ASKED, templates=Templates(choices=True)))
    painting.save(tmp_path / "a.png")
    (kept,) = read_record(tmp_path / "a.png").requests
    assert kept.prompt in ("a photo of a cat", "a photo of a dog")
    assert kept.written.prompt == ASKED.prompt
    assert engine.paint(kept)[0].png() == painting.png()


def test_templates_are_part_of_the_json() -> None:
    asked = replace(ASKED, templates=Templates(choices=True, wildcards=Path("w")))
    assert from_json(to_json(asked)) == asked


def test_a_style_needs_a_table(styles: Path) -> None:
    with pytest.raises(InvalidRequest, match="styles is None, but must be given"):
        Templates(style=("ink",))
    with pytest.raises(InvalidRequest, match="styles is 'inc', but must be the name of a style, perhaps ink"):
        list(spelled(replace(ASKED, templates=Templates(styles=styles, style=("inc",)))))
