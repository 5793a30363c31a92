from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkwash.weights import hub

Inkwash = Callable[..., Any]


@pytest.mark.parametrize(("flag", "variable", "offline"), [("", "", False), ("--offline", "", True), ("", "1", True)])
def test_the_folder_is_printed_and_offline_is_heard(
    inkwash: Inkwash, monkeypatch: pytest.MonkeyPatch, flag: str, variable: str, offline: bool
) -> None:
    def pull(name: str, file: str | None, *, variant: str | None, offline: bool) -> Path:
        return Path(f"/cache/{name}/{file}/{variant}/{offline}")

    monkeypatch.setattr(hub, "pull", pull)
    monkeypatch.setenv("HF_HUB_OFFLINE", variable)
    told = inkwash("pull", "a/b", "--variant", "fp16", *filter(None, [flag]))
    assert (told.code, told.out) == (0, f"/cache/a/b/None/fp16/{offline}\n")


def test_a_name_that_is_none_gets_a_line(inkwash: Inkwash) -> None:
    told = inkwash("pull", "nonsense")
    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1)
