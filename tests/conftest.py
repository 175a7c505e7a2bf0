"""How hard Hypothesis tries: `dev` draws anew each time, `ci` draws the same every time.

`HYPOTHESIS_PROFILE` chooses; without it a machine that says `CI` gets `ci`, any other `dev`. A failure prints the
line (`@reproduce_failure`) that brings it back.
"""

import os

from hypothesis import settings

settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2000, stateful_step_count=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))
