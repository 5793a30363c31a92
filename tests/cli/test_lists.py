"""`inkwash paint --from`: lists that go on where they stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inkwash.metadata.record import read_record

Inkwash = Callable[..., Any]


def test_a_list_is_painted_once(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    lines = ({"prompt": "a cat", "key": "first"}, {"prompt": "a dog", "steps": 2, "count": 2}, {"steps": 0}, "a bird")
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    words = ("paint", "--from", "a.jsonl", "--model", tiny_folder, "--out", "o", "--preview", "off")
    done = inkwash(*words)
    assert done.code == 2
    assert "inkwash: line 3: steps is 0, but must be a whole number" in done.err
    assert done.err.splitlines()[-1].endswith("whose lines can all be painted; 1 could not")
    names = [path.name for path in done.paths]
    assert names[0] == "first.png"
    assert [name[-6:] for name in names[1:3]] == ["-1.png", "-2.png"]
    before = {path: path.read_bytes() for path in (tmp_path / "o").iterdir()}
    assert len(before) == 4
    again = inkwash(*words)
    assert (again.code, again.out) == (2, "")
    (tmp_path / "o/first.png").unlink()
    third = inkwash(*words)
    assert [path.name for path in third.paths] == ["first.png"]
    assert {path: path.read_bytes() for path in (tmp_path / "o").iterdir()} == before  # its seed is that of its key


def test_a_line_that_fails_late_leaves_the_others_alone(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"image":"none.png","key":"bad"}\n"a cat"\n{"model":"nowhere","key":"m"}')
    done = inkwash("paint", "--from", "a.jsonl", "--model", tiny_folder, "--out", "o", "--preview", "off")
    assert (done.code, len(done.paths)) == (2, 1)
    assert "line 1: image is 'none.png'" in done.err
    assert "line 3: model is 'nowhere'" in done.err


def test_what_does_not_go_with_a_list(inkwash: Inkwash, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a cat\n")
    for more, message in (
        (("a dog",), "prompts is .* left out"),
        (("--sheet", "s.png"), "sheet is .* left out"),
        (("--out", "o.png"), "out is 'o.png', but must be a folder"),
    ):
        done = inkwash("paint", *more, "--from", "a.txt", "--model", tiny_folder)
        assert done.code == 2
        assert message.split(" is ")[0] in done.err
    (tmp_path / "b.jsonl").write_text('{"key":"a"}\n{"key":"a"}')
    done = inkwash("paint", "--from", "b.jsonl", "--model", tiny_folder)
    assert "key is 'a', but must be the key of one line, not of 2" in done.err


def test_killed_in_the_middle_nothing_is_lost(tiny_folder: Path, tmp_path: Path, inkwash: Inkwash) -> None:
    lines = [json.dumps({"prompt": "a cat", "key": f"k{n}", "steps": 15 + n, "seed": n}) for n in range(8)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    words = ["paint", "--from", "a.jsonl", "--model", str(tiny_folder), "--out", "o", "--preview", "off"]
    running = subprocess.Popen(
        [sys.executable, "-m", "inkwash", *words], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    while not list((tmp_path / "o").glob("k*.png")) and time.monotonic() < until and running.poll() is None:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = {path: path.read_bytes() for path in (tmp_path / "o").glob("k*.png")}
    assert 0 < len(before) < 8
    for path in before:
        read_record(path)  # whole
    done = inkwash(*words)
    assert done.code == 0
    assert len(done.paths) == 8 - len(before)
    assert sorted(path.stem for path in (tmp_path / "o").glob("k*.png")) == sorted(f"k{n}" for n in range(8))
    assert all(path.read_bytes() == data for path, data in before.items())
