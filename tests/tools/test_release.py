from tools.release import cited, main, newest, version

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [2.1.0] - 2026-12-01\n\n## [2.0.0] - 2026-11-01\n"


def test_the_top_entry_counts_and_unreleased_does_not() -> None:
    assert newest(CHANGELOG) == "2.1.0"
    assert newest("# Changelog\n\n## [Unreleased]\n") is None


def test_the_others_are_read() -> None:
    assert version('"""inkwash."""\n\n__version__ = "2.1.0"\n') == "2.1.0"
    assert cited("cff-version: 1.2.0\nversion: 2.1.0\n") == "2.1.0"


def test_this_repository_agrees_with_itself() -> None:
    assert main() == 0
