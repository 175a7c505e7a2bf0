"""Who we are, as no other operator is: what a Lease names as its holder.

A container that is started again in the same pod may take over the Lease of the one before it at once, if that one is
gone for certain. Its name is therefore the pod's UID, and who bears it has bound an abstract socket of that name: there
is one such name in all containers of a pod, and it is free again only when the process that had it has ended. A second
process in the pod (`kubectl exec`) finds it taken, and has a name of its own.
"""

import os
import socket
import uuid


class Identity:
    """A name that nobody else has.

    Args:
        pod: the UID of the pod that we run in; "" outside a pod.
    """

    def __init__(self, pod: str = "") -> None:
        unique = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"  # in a container each is process 1
        if pod:
            unique = pod if is_ours(pod) else f"{pod}-{unique}"
        self._name = f"{socket.gethostname()}/{unique}"

    def __str__(self) -> str:
        """Give the name; the slash tells it from those of version 0.1.0."""
        return self._name


def is_ours(pod: str) -> bool:
    """Bind the socket of a pod's UID, for as long as this process lives; tell whether nobody else has."""
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(f"\0podgroup-operator/{pod}")
    except OSError:
        bound.close()
        return False
    bound.detach()
    return True
