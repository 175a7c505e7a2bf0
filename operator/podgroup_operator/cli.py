"""The command line: `podgroup-operator run`."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence

from podgroup_operator.api.restored import Restored
from podgroup_operator.backoff import Backoff
from podgroup_operator.hopeless import Hopeless
from podgroup_operator.settings import Settings, read_settings
from podgroup_operator.tell.loglines import FORMATS

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 20.0  # seconds before it begins anew, should the store go back again and again

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator; give the exit code: 0 after SIGTERM, 1 for something the user has to put right."""
    settings = read_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[settings.log_format]())
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    try:
        asyncio.run(serve(settings))
    except Hopeless as error:
        logger.error("%s", error)  # noqa: TRY400 - a sentence for the user, not a traceback
        return 1
    return 0


async def serve(settings: Settings) -> None:
    """Put the operator together and run it; put together anew, it knows nothing of a store that has been restored.

    Raises:
        Hopeless: the user has to put something right.
    """
    stop, pauses = asyncio.Event(), Backoff(FIRST_PAUSE, LONGEST_PAUSE)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    from podgroup_operator.run import Operator  # noqa: PLC0415 - it is heavy; --help need not wait for it

    while not stop.is_set():
        try:
            await Operator(settings, stop).run()
        except ExceptionGroup as group:
            expected, unforeseen = group.split((Hopeless, Restored))
            if unforeseen or expected is None:
                raise
            why = first_of(expected)
            if isinstance(why, Hopeless):
                raise why from None
            logger.warning("%s: its store was restored from a backup. All is forgotten, and begins anew.", why)
            await pause_unless(stop, pauses.next())


def first_of(error: Exception) -> Exception:
    """Give the first error in a group of groups."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def pause_unless(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so many seconds, or until told to stop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
