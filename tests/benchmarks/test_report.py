from pathlib import Path

from benchmarks.report import Section, keep, page


def test_a_page_names_the_day_the_machine_and_holds_a_table_per_question() -> None:
    text = page("2026-01-02", "an abacus", [Section("Speed", "How fast?", ("who", "s"), (("we", "1"), ("they", "2")))])
    head, table = text.split("How fast?")
    assert head == "# Speed, 2026-01-02\n\nan abacus.\n\n## Speed\n\n"
    assert table == "\n\n| who | s |\n| --- | --- |\n| we | 1 |\n| they | 2 |\n"


def test_results_are_kept_in_a_new_folder_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "results" / "day.md"
    assert [keep("one", path), keep("two", path)] == [path, path.with_name("day-1.md")]
    assert [each.read_text() for each in sorted(path.parent.iterdir(), reverse=True)] == ["one", "two"]
