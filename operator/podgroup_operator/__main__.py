"""`python -m podgroup_operator`, the same as `podgroup-operator`."""

import sys

from podgroup_operator.cli import main

sys.exit(main())
