"""The command line: `podgroup-operator run`."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from podgroup_operator.api.login import LoginError
from podgroup_operator.api.restored import Restored
from podgroup_operator.settings import Settings, read_settings
from podgroup_operator.tell.loglines import OneLine

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator; give the exit code: 0 after SIGTERM, 1 for something the user has to put right."""
    settings = read_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    try:
        asyncio.run(serve(settings))
    except LoginError as error:
        logger.error("%s", error)  # noqa: TRY400 - a sentence for the user, not a traceback
        return 1
    except OSError as error:
        logger.error("Cannot listen on %s: %s. Choose another address with --http.", settings.http, error)  # noqa: TRY400 - as above
        return 1
    return 0


async def serve(settings: Settings) -> None:
    """Put the operator together and run it; put together anew, it knows nothing of a store that has been restored."""
    from podgroup_operator.run import Operator  # noqa: PLC0415 - kopf is heavy; --help need not wait for it

    ended = False
    while not ended:
        operator, ended = Operator(settings), True
        try:
            await operator.run()
        except* Restored as restored:
            why = restored.exceptions[0]
            logger.warning("%s: its store was restored from a backup. All is forgotten, and begins anew.", why)
            ended = operator.stopping
