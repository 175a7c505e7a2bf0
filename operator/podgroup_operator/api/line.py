"""One connection to the API server, for one request at a time whose answer is wanted as a whole.

HTTP/1.1 is read by llhttp (httptools); of it only this is used: no redirection, no compression, no cookie.
"""

import asyncio
from typing import NamedTuple, cast

import httptools

INFORMATIONAL = range(100, 200)  # an answer like this is followed by the one that is meant
LOST = "the connection was lost"


class Answer(NamedTuple):
    """What was answered.

    Attributes:
        status: the HTTP status code.
        headers: by name in lower case; of several of one name the last.
        body: all of it.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Line(asyncio.Protocol):
    """One connection.

    Attributes:
        heard: something has come since the last request was sent.
        free_since: when it was last free, in the loop's seconds.
    """

    def __init__(self) -> None:
        self.heard = False
        self.free_since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._ends_with_line = False

    @property
    def is_open(self) -> bool:
        """Tell whether something may be asked on it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for the answer; if anything comes between, this is no line any more.

        Raises:
            ConnectionError: there is none.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError(LOST)
        self._answer, self.heard = asyncio.get_running_loop().create_future(), False
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def connection_lost(self, exc: Exception | None) -> None:
        """End; an answer whose length nobody has told ends with the line."""
        self._transport = None
        if self._ends_with_line and exc is None:
            self.on_message_complete()
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError(LOST))

    def data_received(self, data: bytes) -> None:
        """Take some of an answer; what nobody has asked for ends the line."""
        self.heard = True
        if self._answer is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(ConnectionError(f"what was answered is no HTTP: {error}"))
            self.close()

    def on_message_begin(self) -> None:
        """Begin an answer; one to which there is no question ends the line."""
        if self._answer is None or self._answer.done():
            self.close()
        self._headers, self._body, self._ends_with_line = {}, [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Find out how the end will be told."""
        self._ends_with_line = not {"content-length", "transfer-encoding"} & self._headers.keys()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """End an answer."""
        status, self._ends_with_line = self._parser.get_status_code(), False
        if status in INFORMATIONAL:
            return
        if self._answer and not self._answer.done():
            self._answer.set_result(Answer(status, self._headers, b"".join(self._body)))
        if not self._parser.should_keep_alive():
            self.close()

    def _fail(self, error: OSError) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)
