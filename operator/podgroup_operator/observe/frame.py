"""kopf, the frame: it watches PodGroups and tells us of them.

Only `on.event`, `on.login` and `on.cleanup`: these write nothing to the object and add no finalizer, so that
deletion works while the operator is down; and what kopf would do by itself, such as to take its finalizer off objects
of other operators, is configured away. The handler passes a state on; nobody looks at what changed. The
settings keep kopf from giving up in an ordinary outage (by default it does after 54 s of 5xx). Where it is forbidden
to read PodGroups, or our credentials are no longer accepted, it is ended instead, for it would ask again without a
pause; its supervisor finds out what is missing, and says so.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import aiohttp
import kopf

from podgroup_operator import __version__
from podgroup_operator.api.cluster import describe
from podgroup_operator.api.login import Connection
from podgroup_operator.api.refusals import GONE, UNANSWERABLE, UNAUTHORIZED
from podgroup_operator.api.sockets import connector
from podgroup_operator.backoff import Backoff
from podgroup_operator.core import names
from podgroup_operator.observe import informer
from podgroup_operator.observe.answers import Answer

IDENTITY = "podgroup-operator"
NEVER = f"{names.GROUP}/never-set"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds between kopf's tries
PAGE = 10  # PodGroups that kopf asks for at once; one may have a MiB, and kopf reads a whole page before it tells of it

logger = logging.getLogger(__name__)


class News(NamedTuple):
    """Whom kopf's frame tells; all are called in kopf's thread.

    Attributes:
        listed: the PodGroups of a namespace, of all if it is "", have been listed anew; every one that exists is about
            to be told of.
        seen: this is the state of a PodGroup; the flag says whether it was its last.
        asked: a request for PodGroups is sent.
        trouble: why they cannot be read, a sentence; "" when they can.
    """

    listed: Callable[[str], None]
    seen: Callable[[dict[str, Any], bool], None]
    asked: Callable[[], None]
    trouble: Callable[[str], None]


class EndlessBackoffs:
    """Pauses between kopf's tries of a request: growing, jittered, never-ending."""

    def __iter__(self) -> Iterator[float]:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            yield backoff.next()


class Nowhere(kopf.DiffBaseStorage, kopf.ProgressStorage):
    """Where kopf keeps what it has handled: nowhere, so it neither reads nor writes an annotation.

    It would look for its own on each object even where nobody asks what has changed, and hear nothing more of one
    whose annotation is broken.
    """

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Take nothing of an object for its essence, so that it never changes."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Remember nothing."""

    def store(self, **_: Any) -> None:
        """Keep nothing."""

    def purge(self, **_: Any) -> None:
        """Take nothing away."""

    def touch(self, **_: Any) -> None:
        """Leave no mark."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Leave the essence as it is."""
        return essence


class Frame:
    """One run of kopf.

    Args:
        connection: the API server.
        namespaces: those that are served; empty is all.
        news: whom to tell.
        stop: ends the run when set; when the run ends by itself it is set too.
    """

    def __init__(self, connection: Connection, namespaces: Sequence[str], news: News, stop: threading.Event) -> None:
        self._connection = connection
        self._namespaces = namespaces
        self._news = news
        self._stop = stop

    def run(self) -> None:
        """Run kopf in this thread until it is stopped or gives up; why it gave up is logged."""
        try:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(self._operate())
        except Exception as error:  # noqa: BLE001 - whatever ended kopf, it is for the supervisor to start it again
            logger.warning("kopf has given up: %s", error)

    async def _operate(self) -> None:
        try:
            await kopf.operator(
                registry=self._registry(),
                settings=configured(),
                standalone=True,
                # Only peering needs one, but without it kopf asks for our user's name, and a number may have none.
                identity=IDENTITY,  # type: ignore[arg-type]
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=self._stop,
            )
        finally:
            self._stop.set()  # else a thread of kopf's waits for it for ever, and `asyncio.run` for that thread

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.AiohttpSession:
            return kopf.AiohttpSession(server=self._connection.server, aiohttp_session=self._session())

        @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
        async def see(event: kopf.RawEvent, **_: Any) -> None:
            self._news.seen(dict(event["object"]), event["type"] == "DELETED")

        @kopf.on.cleanup(registry=registry)
        async def end(**_: Any) -> None:
            self._stop.set()  # when kopf gives up by itself it waits 5 s for its own task that waits for this

        return registry

    def _session(self) -> aiohttp.ClientSession:
        """Give kopf a session that brings our credentials, and tells us how kopf fares with PodGroups."""
        trace = aiohttp.TraceConfig()

        async def add_credentials(
            _session: aiohttp.ClientSession, _context: object, request: aiohttp.TraceRequestStartParams
        ) -> None:
            request.headers.update(self._connection.headers())
            self._news.asked()

        async def note_answer(
            _session: aiohttp.ClientSession, _context: object, request: aiohttp.TraceRequestEndParams
        ) -> None:
            if request.url.path.endswith(f"/{names.PLURAL}"):
                self._note_answer(request.response, begins=not {"watch", "continue"} & set(request.url.query))

        async def note_failure(
            _session: aiohttp.ClientSession, _context: object, request: aiohttp.TraceRequestExceptionParams
        ) -> None:
            self._news.trouble(informer.unreadable("PodGroups", describe(request.exception)))

        async def follow_nobody(
            _session: aiohttp.ClientSession, _context: object, request: aiohttp.TraceRequestRedirectParams
        ) -> None:
            raise aiohttp.ClientConnectionError(f"HTTP {request.response.status}, which sends us elsewhere")

        trace.on_request_redirect.append(follow_nobody)
        trace.on_request_start.append(add_credentials)
        trace.on_request_end.append(note_answer)
        trace.on_request_exception.append(note_failure)
        return aiohttp.ClientSession(
            connector=connector(self._connection.tls),
            headers={"User-Agent": f"podgroup-operator/{__version__} (kopf)"},
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._connection.proxy or None,
            trace_configs=[trace],
            response_class=Answer,
        )

    def _note_answer(self, response: aiohttp.ClientResponse, *, begins: bool) -> None:
        """Tell how PodGroups can be read, and that a list begins."""
        if response.ok:
            self._news.trouble("")
            if begins:
                self._news.listed(namespace_of(response.url.path))
        elif response.status != GONE:
            self._news.trouble(informer.unreadable("PodGroups", f"HTTP {response.status}"))
        if response.status == UNAUTHORIZED:
            self._connection.renew()
        if response.status in UNANSWERABLE:
            self._stop.set()


def namespace_of(path: str) -> str:
    """Read the namespace off the path of a collection; "" is all."""
    _, _, rest = path.partition("/namespaces/")
    return rest.partition("/")[0]


def configured() -> kopf.OperatorSettings:
    """Make kopf quiet, patient and free of traces on the objects."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.error_backoffs = EndlessBackoffs()  # documented: any iterable, also an endless one
    settings.networking.connect_timeout = 5
    settings.networking.request_timeout = 30
    settings.watching.server_timeout = informer.WATCH_SECONDS
    settings.watching.inactivity_timeout = informer.SILENCE
    settings.watching.chunk_size = PAGE
    settings.queueing.idle_timeout = 1.0
    # It takes its finalizer off whatever bears it, and its default is that of other people's operators.
    settings.persistence.finalizer = NEVER
    settings.persistence.diffbase_storage = settings.persistence.progress_storage = Nowhere()
    settings.process.ultimate_exiting_timeout = None  # it would kill the thread, and with it the process
    logging.getLogger("kopf").setLevel(logging.WARNING)
    # They warn that signals are not theirs, and show the traceback of what `Frame.run` tells in a line.
    for name in ("running", "orchestration"):
        logging.getLogger(f"kopf._core.reactor.{name}").setLevel(logging.CRITICAL)
    return settings
