import errno
import threading
from pathlib import Path

import pytest

from inkwash.errors import OutputError
from inkwash.files import atomic, free_name, told


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def interrupted(part: Path) -> None:
    part.write_text("half")
    raise KeyboardInterrupt


def test_a_file_appears_whole(tmp_path: Path) -> None:
    with atomic(tmp_path / "a.txt") as part:
        part.write_text("whole")
        assert names(tmp_path) == [part.name]
        assert part.suffix == ".txt"
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["a.txt"]


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic(tmp_path / "a.txt") as part:
        part.write_text(str(1 / 0))
    assert names(tmp_path) == []


def test_after_an_error_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "a.txt", overwrite=True) as part:
        interrupted(part)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_files_are_replaced_only_when_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(OutputError, match="exists already"), atomic(tmp_path / "a.txt"):
        pytest.fail("the block must not run")
    with atomic(tmp_path / "a.txt", overwrite=True) as part:
        part.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"), atomic(tmp_path / "a.txt") as part:
        part.with_name("a.txt").write_text("theirs")
    assert (tmp_path / "a.txt").read_text() == "theirs"
    assert names(tmp_path) == ["a.txt"]


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    lost: list[OutputError] = []
    ready = threading.Barrier(8)

    def writer(number: int) -> None:
        try:
            with atomic(tmp_path / "a.txt") as part:
                part.write_text(str(number) * 1000)
                ready.wait()
        except OutputError as error:
            lost.append(error)

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 7
    assert len(set((tmp_path / "a.txt").read_text())) == 1
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*: No such file or directory"), atomic(tmp_path / "no/a.txt"):
        pytest.fail("the block must not run")


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OutputError, match="cannot write here: the disk is full"), told(Path("here")):
        full.write_text("x")


def test_other_refusals_are_told_in_the_systems_words() -> None:
    with pytest.raises(OutputError, match="cannot write here: Permission denied"), told(Path("here")):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_free_names_count_up(tmp_path: Path) -> None:
    wanted = tmp_path / "a.b.png"
    for name in ("a.b.png", "a.b-1.png", "a.b-2.png"):
        assert free_name(wanted).name == name
        free_name(wanted).touch()
