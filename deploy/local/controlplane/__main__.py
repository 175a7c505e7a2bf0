"""`python -m controlplane`: kind's command line for the local control plane."""

import sys

try:
    from controlplane.cli import main
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package {missing.name} is missing: run `make setup` first.")

sys.exit(main())
