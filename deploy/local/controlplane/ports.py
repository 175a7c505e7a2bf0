"""Free ports on loopback, kept free until their users have them.

A port that the operating system calls free can be taken by anybody between the answer and the program's start,
above all when several clusters start at once. So the port stays bound (without listening) while the programs start,
and the programs bind it beside us with SO_REUSEPORT, which the kernel allows to one user's sockets that all ask for
it, and which it never does when it picks a port itself.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

LOOPBACK = "127.0.0.1"


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Yield so many different ports of 127.0.0.1; they stay reserved until the context ends."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for reservation in sockets:
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reservation.bind((LOOPBACK, 0))
        yield [reservation.getsockname()[1] for reservation in sockets]
