"""`python -m kindnode`: kind's command line, without Docker."""

import sys

try:
    from kindnode.cli import main
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package {missing.name} is missing: run `make setup` first.")

sys.exit(main(sys.argv[1:]))
