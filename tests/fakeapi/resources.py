"""What the fake API serves: one table of resources, in Kubernetes' own words.

The flags say where kube-apiserver treats a resource unlike the others. Each was read in its strategy
(kubernetes/pkg/registry/*/strategy.go, apiextensions-apiserver/pkg/registry/customresource) and compared with
the answers of a running kube-apiserver 1.37.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]
"""An API object as JSON. What is in the store is never changed in place: a write makes a new one."""


@dataclass(frozen=True, eq=False)
class Resource:
    """A kind of object under one group and version.

    Attributes:
        subresources: the doors beside the main one, such as "status".
        custom: exists only while its CustomResourceDefinition does.
        has_generation: metadata.generation counts changes of what is not metadata or status.
        unconditional_update: a PUT may leave out metadata.resourceVersion.
        returns_deleted: DELETE answers with the object instead of a Status.
        fields: what a fieldSelector may name beside metadata.name and metadata.namespace.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = False
    has_generation: bool = False
    unconditional_update: bool = True
    returns_deleted: bool = False
    fields: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """Give what stands in an object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Give the name that error messages use: "pods", "podgroups.selfheal.dev"."""
        return qualify(self.plural, self.group)

    @property
    def qualified_kind(self) -> str:
        """Give the kind as error messages write it: "Pod", "PodGroup.selfheal.dev"."""
        return qualify(self.kind, self.group)


def qualify(name: str, group: str) -> str:
    """Join a plural or a kind with its group."""
    return f"{name}.{group}" if group else name


PODS = Resource(
    "",
    "v1",
    "pods",
    "Pod",
    short_names=("po",),
    categories=("all",),
    subresources=("status", "resize", "eviction"),
    has_generation=True,
    returns_deleted=True,
    fields=("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "status.phase", "status.podIP"),
)
NODES = Resource(
    "",
    "v1",
    "nodes",
    "Node",
    namespaced=False,
    short_names=("no",),
    subresources=("status",),
    fields=("spec.unschedulable",),
)
NAMESPACES = Resource(
    "",
    "v1",
    "namespaces",
    "Namespace",
    namespaced=False,
    short_names=("ns",),
    subresources=("status", "finalize"),
    returns_deleted=True,
    fields=("status.phase",),
)
CORE_EVENTS = Resource("", "v1", "events", "Event", short_names=("ev",))
EVENTS = Resource("events.k8s.io", "v1", "events", "Event", short_names=("ev",))
POD_TEMPLATES = Resource("", "v1", "podtemplates", "PodTemplate", has_generation=True)
REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", unconditional_update=False)
PODGROUPS = Resource(
    "selfheal.dev",
    "v1",
    "podgroups",
    "PodGroup",
    short_names=("pgrp",),
    categories=("all",),
    subresources=("status", "scale"),
    custom=True,
    has_generation=True,
    unconditional_update=False,
)
CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=("status",),
    has_generation=True,
    unconditional_update=False,
)

RESOURCES = (PODS, POD_TEMPLATES, NODES, NAMESPACES, CORE_EVENTS, EVENTS, REVISIONS, LEASES, PODGROUPS, CRDS)


def named(resources: Iterable[Resource], name: str) -> Resource:
    """Find a resource by plural, or by plural.group where plurals clash, as kubectl does.

    Raises:
        KeyError: nothing here has that name.
    """
    for resource in resources:
        if name in (resource.plural, resource.qualified):
            return resource
    raise KeyError(f"The fake API has no resource {name!r}: add it to fakeapi/resources.py.")
