"""The line gate: a file that outgrows its budget is two ideas in one place."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
NETWORKS = ("predictor/unet.py", "latent/autoencoder.py")


def main() -> int:
    """Print every file over budget; exit 1 if there is one."""
    budget = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["inkwash"]["budget"]
    over = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        limit = budget["networks"] if str(path).endswith(NETWORKS) else budget["default"]
        lines = len(path.read_text().splitlines())
        if lines > limit:
            over.append(f"{path.relative_to(ROOT)} has {lines} lines, its budget is {limit}")
    print("\n".join(over) or "budget: every file fits")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
