"""`python -m demo`, which is what `make demo` runs."""

import sys

from demo.cli import main

sys.exit(main())
