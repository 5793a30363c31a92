"""The log of a run."""

from pathlib import Path

from inkwash.training.log import Log, read_log


def test_a_resumed_log_forgets_what_will_come_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with Log(path, 0) as log:
        for images in (8, 16, 24):
            log.write(images, "step", {"loss": 1 / images})
    with path.open("a") as file:
        file.write('{"images": 32, "ki')  # killed while writing
    with Log(path, 16) as log:
        log.write(24, "step", {"loss": 0.5})
    assert [(line["images"], line["loss"]) for line in read_log(path)] == [(8, 1 / 8), (16, 1 / 16), (24, 0.5)]


def test_no_log_has_no_lines(tmp_path: Path) -> None:
    assert list(read_log(tmp_path / "none.jsonl")) == []
