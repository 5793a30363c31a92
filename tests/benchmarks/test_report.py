from benchmarks.report import Section, page


def test_a_page_names_the_day_the_machine_and_holds_a_table_per_question() -> None:
    text = page("2026-01-02", "an abacus", [Section("Speed", "How fast?", ("who", "s"), (("we", "1"), ("they", "2")))])
    head, table = text.split("How fast?")
    assert head == "# Speed, 2026-01-02\n\nan abacus.\n\n## Speed\n\n"
    assert table == "\n\n| who | s |\n| --- | --- |\n| we | 1 |\n| they | 2 |\n"
