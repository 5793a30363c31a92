"""`python -m inkwash` is `inkwash`."""

import sys

from inkwash.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
