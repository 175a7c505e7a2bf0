"""The HTTP side: requests in, JSON and streams out.

A real socket on loopback, so that the operator's own client, kopf and the official client are tested as they are.
Each request has its effect in one piece, without an await in between, so there is one order of all effects.
"""

import asyncio
from collections.abc import Iterable, Mapping

import orjson
from aiohttp import web

from fakeapi import discovery, errors, filters, routing, subresources
from fakeapi.access import Access
from fakeapi.errors import StatusError
from fakeapi.faults import Answer, Cut, Delay, Fault, Faults, Hold, WatchFault
from fakeapi.lists import answer_list
from fakeapi.registry import JSON, Registry
from fakeapi.resources import Obj, Resource
from fakeapi.routing import TRUE, Request, Target
from fakeapi.watch import INITIAL_EVENTS_END, Scope, Watch

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 1.0


class Struck(Exception):
    """A fault ends a request: with its own answer, or with None at all."""

    def __init__(self, response: web.Response | None) -> None:
        super().__init__()
        self.response = response


class Server:
    """Answers requests from a registry, troubled by faults.

    Attributes:
        requests: the log, in order of arrival.
        watches: the open ones.
        bookmark_seconds: between two bookmarks of a watch.
        url: where it listens.
    """

    def __init__(self, registry: Registry, faults: Faults, access: Access) -> None:
        self._registry = registry
        self._store = registry.store
        self._faults = faults
        self._access = access
        self.requests: list[Request] = []
        self.watches: list[Watch] = []
        self.bookmark_seconds = 60.0
        self.url = ""
        self._http = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(self._http, shutdown_timeout=SHUTDOWN_SECONDS)
        self._site: web.TCPSite | None = None
        self._port = 0
        self._bugs: list[Exception] = []

    async def listen(self) -> None:
        """Open the port: a free one the first time, the same one later."""
        if not self._port:
            await self._runner.setup()
        self._site = web.TCPSite(self._runner, LOOPBACK, self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://{LOOPBACK}:{self._port}"

    async def refuse(self) -> None:
        """Close the port and every connection: clients are refused."""
        if self._site:
            await self._site.stop()
            self._site = None
        self.disconnect()

    def disconnect(self) -> None:
        """Cut every connection."""
        for connection in self._http.connections:
            if connection.transport:
                connection.transport.abort()

    async def close(self) -> None:
        """Stop for good.

        Raises:
            ExceptionGroup: the fake itself failed at a request, which the client took for a server's error.
        """
        await self.refuse()
        await self._runner.cleanup()
        bugs, self._bugs = self._bugs, []
        if bugs:
            raise ExceptionGroup("The fake API has a bug.", bugs)

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        request = Request(http.method, http.path, http.query, http.headers.get("User-Agent", ""))
        self.requests.append(request)
        try:
            response = await self._troubled(http, request)
        except StatusError as error:
            response = refusal(error)
        except Struck as fault:
            if fault.response is None:
                hang_up(http)
                return web.Response()
            response = fault.response
        except (ConnectionError, web.RequestPayloadError):
            raise  # the client went away
        except Exception as bug:
            self._bugs.append(bug)
            raise
        request.code = response.status
        return response

    async def _troubled(self, http: web.BaseRequest, request: Request) -> web.StreamResponse:
        """Answer a request, with what the faults add before and after."""
        body = await http.read()
        request.version = self._store.version
        request.body = routing.read_json(body) if body else None
        target = routing.route(request, self._served())
        if request.verb == "create":
            request.name = ((request.body or {}).get("metadata") or {}).get("name") or ""
        struck = list(self._faults.striking(request))
        await happen(struck, after=False)
        if target and request.verb == "watch":
            return await self._watch(http, request, target, struck)
        try:
            return self._resource(http, request, target) if target else self._other(request)
        finally:
            request.version = self._store.version
            await happen(struck, after=True)

    def _served(self) -> list[Resource]:
        return [resource for resource in self._registry.resources if self._registry.serves(resource)]

    def _other(self, request: Request) -> web.Response:
        """Answer what is not about a resource: discovery, access reviews, and paths that lead nowhere."""
        if request.path == REVIEWS and request.body:
            return answer(self._access.review(request.body), 201)
        if request.path == RULES_REVIEWS and request.body:
            return answer(self._access.rules(request.body), 201)
        found = discovery.document(request.path, self._served())
        return answer(found) if found else web.Response(status=404, text="404 page not found\n")

    def _resource(self, http: web.BaseRequest, request: Request, target: Target) -> web.Response:
        """Answer what is about a resource, a watch excepted."""
        self._check_access(request, target)
        registry, resource, key = self._registry, target.resource, (target.namespace, target.name)
        body, door, dry_run = request.body or {}, target.subresource, request.dry_run
        match request.verb:
            case "list":
                selects = self._selects(request, target)
                return answer(answer_list(self._store, resource, target.namespace, selects, request.query))
            case "get":
                return answer(subresources.view(registry.read(resource, key), door))
            case "create":
                evicts = door == routing.EVICTION
                made = registry.create(resource, target.namespace, body, dry_run=dry_run) if not evicts else None
                return answer(made or registry.evict(key, body), 201)
            case "update":
                return answer(registry.replace(resource, key, body, subresource=door, dry_run=dry_run))
            case "patch":
                form = http.content_type
                new = registry.patch(resource, key, body, form=form, subresource=door, dry_run=dry_run)
                return answer(new)
            case _:
                return answer(registry.delete(resource, key, routing.delete_options(request)))

    def _check_access(self, request: Request, target: Target) -> None:
        self._access.check(request.verb, target.resource, target.subresource, target.namespace, target.name)

    def _selects(self, request: Request, target: Target) -> filters.Filter | None:
        fields = request.query.get("fieldSelector", "")
        if target.name:  # a watch on an object's own path
            fields = f"{fields},metadata.name={target.name}"
        return filters.selecting(target.resource, request.query.get("labelSelector", ""), fields)

    async def _watch(
        self, http: web.BaseRequest, request: Request, target: Target, struck: Iterable[Fault]
    ) -> web.StreamResponse:
        self._check_access(request, target)
        scope = Scope(target.resource, target.namespace, self._selects(request, target))
        watch = Watch(scope, bookmarks=request.query.get("allowWatchBookmarks") in TRUE)
        for fault in struck:
            if isinstance(fault, WatchFault):
                watch.strike(fault)
        self._begin(watch, request.query)
        request.version, request.code = self._store.version, 200
        self._store.subscribers.append(watch.take)
        self.watches.append(watch)
        timers = self._timers(watch, float(request.query.get("timeoutSeconds") or 0))
        response = web.StreamResponse(headers={"Content-Type": JSON})
        try:
            await response.prepare(http)
            await watch.send(response, lambda: hang_up(http))
        except ConnectionError:
            pass  # the client went away
        finally:
            for timer in timers:
                timer.cancel()
            self.watches.remove(watch)
            self._store.subscribers.remove(watch.take)
        return response

    def _begin(self, watch: Watch, query: Mapping[str, str]) -> None:
        """Send what comes before the first new change."""
        resource, namespace = watch.scope.resource, watch.scope.namespace
        version = routing.read_version(query)
        wants_all = query.get("sendInitialEvents") in TRUE
        if wants_all or not version:
            watch.begin(self._store.objects(resource, namespace))
            if wants_all:
                watch.bookmark(self._store.version, INITIAL_EVENTS_END)
        elif version < self._store.compacted:
            watch.fail(errors.expired(f"too old resource version: {version} ({self._store.compacted})"))
        else:
            for change in self._store.since(version):
                watch.take(change)

    def _timers(self, watch: Watch, seconds: float) -> list[asyncio.Task[None]]:
        async def bookmarks() -> None:
            while True:
                await asyncio.sleep(self.bookmark_seconds)
                watch.bookmark(self._store.version)

        async def deadline() -> None:
            await asyncio.sleep(seconds)
            watch.end()

        timers = [asyncio.create_task(bookmarks())] if watch.bookmarks else []
        return [*timers, asyncio.create_task(deadline())] if seconds else timers


async def happen(struck: Iterable[Fault], *, after: bool) -> None:
    """Let faults strike a request, in the order of their rules.

    Raises:
        Struck: the request goes no further.
    """
    for fault in struck:
        if isinstance(fault, WatchFault) or fault.after is not after:
            continue
        match fault:
            case Delay():
                await asyncio.sleep(fault.seconds)
            case Hold():
                await fault.gate.wait()
            case Answer():
                raise Struck(refusal(fault.error(), fault.text))
            case Cut():
                raise Struck(None)


def hang_up(http: web.BaseRequest) -> None:
    """Close the connection after what has been written, and say nothing more."""
    if http.transport:
        http.transport.close()


def answer(body: Obj, code: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(status=code, body=orjson.dumps(body), content_type=JSON)


def refusal(error: StatusError, text: str | None = None) -> web.Response:
    """Answer with a Status, or with the code and a text."""
    response = answer(error.status, error.code) if text is None else web.Response(status=error.code, text=text)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
