"""`make demo`: a PodGroup is hurt in every way, and you watch it heal.

One command from a fresh clone: it starts a cluster and the operator, plays seven short steps (eight on kind), measures
each recovery with a watch of its own, prints the times and takes everything down again. Begin reading at `story.py`;
the files around it are what a play needs: the stage, the seats, the stopwatches, somebody who watches.
"""

import time

STARTED = time.monotonic()
"""When the demo began; taken before the imports, which belong to what a person waits for."""
