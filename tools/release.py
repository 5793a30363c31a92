"""The release gate: the version of the package, the top entry of the changelog and the citation say the same."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def version(package: str) -> str | None:
    """`__version__ = "…"` in the text of the package's __init__.py."""
    return first(r'^__version__ = "(.+)"$', package)


def newest(changelog: str) -> str | None:
    """The version of the topmost entry that is not [Unreleased]."""
    return first(r"^## \[(\d.*?)\]", changelog)


def cited(citation: str) -> str | None:
    """The version in CITATION.cff."""
    return first(r"^version: (\S+)$", citation)


def first(pattern: str, text: str) -> str | None:
    """The first group of the first line that matches."""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else None


def main() -> int:
    """Print the three; exit 1 if they differ."""
    told = {
        "src/inkwash/__init__.py": version((ROOT / "src/inkwash/__init__.py").read_text()),
        "CHANGELOG.md": newest((ROOT / "CHANGELOG.md").read_text()),
        "CITATION.cff": cited((ROOT / "CITATION.cff").read_text()),
    }
    agreed = len(set(told.values())) == 1 and None not in told.values()
    print(f"release: {told['CHANGELOG.md']} everywhere" if agreed else f"release: the versions differ: {told}")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
