"""A line to the API server: an answer is the one to what was asked, and whole, however it arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from podgroup_operator.api import lines as module
from podgroup_operator.api.line import Answer
from podgroup_operator.api.lines import Lines
from podgroup_operator.api.login import Connection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NEVER, HANG_UP = b"never", b""


class Server:
    """Gives on each line the answers that it is told to, one for each request; then it waits for the end of the line.

    Args:
        answers: those on the first line, and so on; the parts between bars are sent one after the other.
        patient: whether it waits; else it hangs up.

    Attributes:
        requests: what was asked, and on which line, counted downwards.
        ended: how many lines were ended by the client.
        serving: those who serve a line.
    """

    def __init__(self, *answers: list[bytes], patient: bool = True) -> None:
        self._answers = list(answers)
        self._patient = patient
        self.requests: list[tuple[int, bytes]] = []
        self.ended = asyncio.Semaphore(0)
        self.serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one line."""
        self.serving.append(asyncio.current_task())
        answers = self._answers.pop(0)
        number = len(self._answers)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for answer in answers:
                self.requests.append((number, await read(reader)))
                if answer == HANG_UP:
                    break
                for piece in answer.split(b"|") if answer != NEVER else ():
                    writer.write(piece)
                    await asyncio.sleep(0.001)
            else:
                if self._patient:
                    await reader.read()
                    self.ended.release()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def read(reader: asyncio.StreamReader) -> bytes:
    """Read a request."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, rest = head.partition(b"Content-Length: ")
    return head + await reader.readexactly(int(rest.split(b"\r\n")[0]) if rest else 0)


@asynccontextmanager
async def lines_to(server: Server, root: str = "") -> AsyncIterator[Lines]:
    """Give lines to a server."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    lines = Lines(Connection(f"http://127.0.0.1:{port}{root}", None, lambda: ""), {"User-Agent": "test"})
    try:
        yield lines
    finally:
        await lines.close()
        listening.close()
        await asyncio.gather(*(each for each in server.serving if each))


async def ask(lines: Lines, method: str = "GET") -> Answer:
    """Ask for something."""
    return await asyncio.wait_for(lines.ask(method, "/x", None, {}), 5)


async def test_a_request_is_written_as_http_wants_it() -> None:
    """Behind the path that the API server has, its parts quoted; a body is told by its length."""
    server = Server([OK, OK])
    async with lines_to(server, "/k8s/clusters/c") as lines:
        host = lines._headers["Host"]  # noqa: SLF001 - the port is any
        await lines.ask("GET", "/api/ä", {"a": "b c", "d": "="}, {"Authorization": "Bearer x"})
        await lines.ask("POST", "/api", None, {"Content-Type": "application/json"}, b'{"a":1}')
    start = f"HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n"
    assert [request.decode() for _, request in server.requests] == [
        f"GET /k8s/clusters/c/api/%C3%A4?a=b+c&d=%3D {start}Authorization: Bearer x\r\n\r\n",
        f'POST /k8s/clusters/c/api {start}Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{{"a":1}}',
    ]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le|ngth: 2\r\n\r|\n{|}", b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n|1\r\n}\r\n0\r\n|\r\n", b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n|" + OK, b"{}"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, b"x" * 300_000),
    ],
    ids=["in pieces", "chunked", "after a word in between", "after hints", "without a body", "large"],
)
async def test_an_answer_is_whole_however_it_is_sent(answer: bytes, body: bytes) -> None:
    """And the next request goes by the same line, so it ended where it should."""
    server = Server([answer, OK])
    async with lines_to(server) as lines:
        assert (await ask(lines)).body == body
        assert await ask(lines) == Answer(200, {"content-length": "2"}, b"{}")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"HTTP/1.1 200 OK\r\nConte",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
    ],
    ids=["cut in the body", "cut between chunks", "cut in the headers", "another protocol", "no HTTP"],
)
async def test_what_is_not_a_whole_answer_is_none(answer: bytes) -> None:
    """Nobody asks again where something was answered."""
    async with lines_to(Server([answer], patient=False)) as lines:
        with pytest.raises(ConnectionError):
            await ask(lines)


async def test_an_answer_without_a_length_ends_with_its_line() -> None:
    """As HTTP/1.0 had it, and as some proxies still do."""
    answer = b"HTTP/1.0 503 Service Unavailable\r\n\r\nno healthy |upstream"
    async with lines_to(Server([answer], patient=False)) as lines:
        assert await ask(lines) == Answer(503, {}, b"no healthy upstream")


@pytest.mark.parametrize(("method", "again"), [("GET", True), ("DELETE", True), ("POST", False), ("PATCH", False)])
async def test_what_may_be_asked_twice_is_where_a_kept_line_was_closed(method: str, *, again: bool) -> None:
    """The other end may close it just when it is used; of a write nobody knows then whether it was done."""
    server = Server([OK, HANG_UP], [OK])
    async with lines_to(server) as lines:
        await ask(lines)
        if again:
            assert (await ask(lines, method)).body == b"{}"
        else:
            with pytest.raises(ConnectionError):
                await ask(lines, method)
    assert len(server.requests) == 2 + again


async def test_nothing_is_asked_three_times() -> None:
    """A new line that is closed is no accident."""
    server = Server([OK, HANG_UP], [HANG_UP])
    async with lines_to(server) as lines:
        await ask(lines)
        with pytest.raises(ConnectionError):
            await ask(lines)


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", OK + OK, OK + b"|" + OK]
)
async def test_a_line_on_which_no_more_may_be_asked_is_not_kept(first: bytes) -> None:
    """The server has said so, or has answered what was not asked: that must not answer the next question."""
    server = Server([first], [OK])
    async with lines_to(server) as lines:
        await ask(lines)
        await asyncio.sleep(0.01)
        await ask(lines)
    assert [line for line, _ in server.requests] == [1, 0]


async def test_a_request_that_is_given_up_ends_its_line() -> None:
    """Its answer must not come to the next one, and the server may leave off what nobody waits for."""
    server = Server([NEVER], [OK])
    async with lines_to(server) as lines:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(lines), 0.05)
        await asyncio.wait_for(server.ended.acquire(), 5)
        assert (await ask(lines)).body == b"{}"


async def test_requests_at_the_same_time_have_a_line_each() -> None:
    """As many as there are; later ones use those again."""
    server = Server([OK, OK], [OK, OK], [OK, OK])
    async with lines_to(server) as lines:
        await asyncio.gather(*(ask(lines) for _ in range(3)))
        await asyncio.gather(*(ask(lines) for _ in range(2)))
    assert (len(server.requests), {line for line, _ in server.requests}) == (5, {0, 1, 2})


async def test_a_line_that_was_not_used_for_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server may be about to close it."""
    monkeypatch.setattr(module, "KEPT", 0.0)
    server = Server([OK], [OK])
    async with lines_to(server) as lines:
        await ask(lines)
        await ask(lines)
        await asyncio.wait_for(server.ended.acquire(), 5)


@pytest.mark.parametrize("token", ["a\r\nX: b", "a\n", "ключ"])
async def test_a_token_that_no_header_may_have_is_never_sent(token: str) -> None:
    """A second line of it would be a header of its own."""
    server = Server([OK])
    async with lines_to(server) as lines:
        with pytest.raises(OSError, match="sent as Authorization has a line break"):
            await lines.ask("GET", "/x", None, {"Authorization": f"Bearer {token}"})
    assert not server.requests
