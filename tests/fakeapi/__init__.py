"""An in-memory Kubernetes API with a real HTTP face, for tests of the operator's shell.

The operator's informer, write path and kopf talk to it as to kube-apiserver 1.37: one global resourceVersion,
watches that replay, bookmarks, 410, 409, preconditions, subresources, graceful and cascading deletion. A test holds
it as `FakeApi` and can make every part of it fail (`faults.py`). `store.py` has the state, `registry.py` the rules
of writing, `server.py` and `watch.py` the wire, `kubelet.py` and `collector.py` what the rest of a cluster does.

What it leaves out: schemas and their validation, defaults of a CustomResourceDefinition, managed fields and
server-side apply, JSON patch, deletecollection, eviction. The two event APIs are separate here.

    async with FakeApi() as api:
        api.kubelet.start()
        api.create("podgroups", {"metadata": {"name": "web"}, "spec": {...}})
        await api.until(lambda: len(api.pods()) == 3, "three pods")
"""

from fakeapi.api import FakeApi
from fakeapi.errors import StatusError
from fakeapi.faults import Answer, Cut, CutLine, Delay, ErrorEvent, Hold, Rule, Silence
from fakeapi.routing import Request
from fakeapi.store import Change

__all__ = [
    "Answer",
    "Change",
    "Cut",
    "CutLine",
    "Delay",
    "ErrorEvent",
    "FakeApi",
    "Hold",
    "Request",
    "Rule",
    "Silence",
    "StatusError",
]
