"""Whom we take for the API server: a TLS context whose certificates can be exchanged while it is in use."""

import ssl


class Trust(ssl.SSLContext):
    """What is given to aiohttp and stays the same, in front of the context by which connections are made at the moment.

    Certificates can be added to a context but not taken out of it, and one that is no longer in the file should no
    longer be believed.

    Attributes:
        current: by which the next connection is made.
        server_name: to whom the server's certificate is made out; "" is the host that we connect to.
    """

    current: ssl.SSLContext
    server_name: str

    @classmethod
    def of(cls, current: ssl.SSLContext, server_name: str = "") -> "Trust":
        """Put it in front of a context."""
        trust = cls(ssl.PROTOCOL_TLS_CLIENT)
        trust.current = current
        trust.server_name = server_name
        return trust

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - ssl's own
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection, as asyncio does it."""
        return self.current.wrap_bio(incoming, outgoing, server_side, self.server_name or server_hostname, session)
