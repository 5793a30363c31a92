from pathlib import Path

import pytest

from inkwash.errors import DataError, OutputError
from inkwash.evaluation.card import TEMPLATE, card, parts, write_card
from inkwash.evaluation.pets import Report
from inkwash.pipeline.engine import Engine


def test_every_word_of_the_template_is_filled_in(honest: Report) -> None:
    text = card(honest.evaluation, "| the parts |", "Two hours.\n", TEMPLATE.read_text("utf-8"))
    assert "$" not in text
    for words in ("| the parts |", "Two hours.", "| cats that are cats | 100.0 %", "held-out, features", "by hand"):
        assert words in text


def test_the_parts_are_counted(engine: Engine) -> None:
    text = parts(engine.bundle)
    learnt = sum(weight.numel() for weight in engine.bundle.predictor.parameters())
    assert f"{learnt:,}" in text
    assert len(text.splitlines()) == 7


def test_the_sheets_lie_where_the_card_looks_for_them(honest: Report, engine: Engine, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.md"
    recipe.write_text("Three hours on two cores.")
    write_card(honest, engine.bundle, tmp_path / "CARD.md", recipe)
    text = (tmp_path / "CARD.md").read_text("utf-8")
    shown = [line.partition("](")[2].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(shown) == 5
    assert all((tmp_path / name).is_file() for name in shown)
    with pytest.raises(OutputError):
        write_card(honest, engine.bundle, tmp_path / "CARD.md", recipe)
    with pytest.raises(DataError, match="recipe"):
        write_card(honest, engine.bundle, tmp_path / "CARD.md", tmp_path / "no-recipe.md", overwrite=True)
