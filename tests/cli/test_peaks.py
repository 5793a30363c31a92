from pathlib import Path

import pytest
from PIL import Image

from inkwash.cli.peaks import PeaksOptions, run
from inkwash.errors import InvalidRequest


def test_counts_draws_and_tells_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = PeaksOptions(samples=400, steps=30, cats=0.25, out=tmp_path / "new" / "peaks.png")
    run(options)
    *rows, place = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["data", "heun", "euler_ancestral"]
    for row in rows:
        _, cat, _, dog, _, between, _ = row.split()
        assert int(cat) + int(dog) == 400
        assert int(between) == 0
        assert int(cat) == pytest.approx(100, abs=40)
    with Image.open(place) as sheet:
        assert sheet.width > 1000
    run(options)  # the same sheet again, beside the first
    assert options.out.read_bytes() == options.out.with_name("peaks-1.png").read_bytes()


@pytest.mark.parametrize(
    ("field", "value"), [("samples", 5), ("steps", 1), ("cats", 1.0), ("spread", 0.7), ("out", Path("peaks.txt"))]
)
def test_what_cannot_be_drawn_is_refused_by_name(field: str, value: float | Path) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field} is "):
        PeaksOptions(**{field: value})  # type: ignore[arg-type]
