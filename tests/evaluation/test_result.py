import json
from pathlib import Path

import pytest

from inkwash.errors import DataError, OutputError
from inkwash.evaluation.pets import Report
from inkwash.evaluation.result import Bar, read_json, write_json


def test_bars_are_reached_from_their_side() -> None:
    assert Bar("high", 99.0, 99.0).met
    assert not Bar("high", 98.9, 99.0).met
    assert Bar("low", 0.9, 1.0, most=True).met
    assert not Bar("low", 1.0, 1.0, most=True).met
    assert not Bar("unknown", None, 0.0).met


def test_json_survives_the_way_to_the_disk(honest: Report, tmp_path: Path) -> None:
    write_json(honest.evaluation, tmp_path / "pets.json")
    assert read_json(tmp_path / "pets.json") == honest.evaluation
    assert all(bar["met"] for bar in json.loads((tmp_path / "pets.json").read_text("utf-8"))["bars"])
    with pytest.raises(OutputError):
        write_json(honest.evaluation, tmp_path / "pets.json")


@pytest.mark.parametrize("text", ['{"evaluation": {"model": 3}}', "[]", "{", '{"bars": []}'])
def test_anything_else_is_refused_in_a_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(DataError, match=r"other\.json is not an evaluation"):
        read_json(tmp_path / "other.json")
