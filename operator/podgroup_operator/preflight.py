"""Before work starts: is everything there that we need? If not, say what, and how to get it, and wait.

The CRD may be installed after the operator, and permissions may be granted later. Both are looked for again
and again; nothing has to be restarted when they come.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from podgroup_operator.api.cluster import NOT_FOUND, UNAUTHORIZED, Cluster, Refused, Unreachable, object_path
from podgroup_operator.core import names
from podgroup_operator.lead.leader import NAME as LEASE

PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0)  # seconds between looks; the last one repeats
REMIND_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Permission:
    """Something that the operator must be allowed to do."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Write it as a person would say it."""
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return (
            f"{self.verb} {resource}"
            + (f".{self.group}" if self.group else "")
            + (f" {self.name}" if self.name else "")
        )


NEEDED = (
    *(Permission(verb, names.GROUP, names.PLURAL) for verb in ("get", "list", "watch")),
    Permission("patch", names.GROUP, names.PLURAL, "status"),
    *(Permission(verb, "", "pods") for verb in ("get", "list", "watch", "create", "patch", "delete")),
    Permission("create", "events.k8s.io", "events"),
)

LEASES = "coordination.k8s.io", "leases"
NEEDED_TO_LEAD = (
    Permission("create", *LEASES),  # what does not exist yet cannot be granted by its name
    *(Permission(verb, *LEASES, name=LEASE) for verb in ("get", "patch")),
)
"""What it takes in the namespace of the Lease to be elected."""


async def wait_until_ready(
    cluster: Cluster, namespaces: Sequence[str], say: Callable[[str], None], lease_namespace: str = ""
) -> None:
    """Return when the CRD is served and every permission is granted; until then, log what is missing.

    Args:
        cluster: the API.
        namespaces: those that are served; empty is all.
        say: told what is being waited for, for /readyz; "" when nothing is.
        lease_namespace: where the Lease is; "" without leader election.
    """
    said, since = "", 0.0
    async for pause in pauses():
        missing = await first_lack(cluster, namespaces, lease_namespace)
        say(missing)
        if not missing:
            if said:
                logger.info("Everything that was missing is there now.")
            return
        if missing != said or since >= REMIND_SECONDS:
            logger.warning("%s", missing)
            said, since = missing, 0.0
        since += pause
        await asyncio.sleep(pause)


async def pauses() -> AsyncIterator[float]:
    """Give the pauses between looks."""
    for pause in PAUSES:
        yield pause
    while True:
        yield PAUSES[-1]


async def first_lack(cluster: Cluster, namespaces: Sequence[str], lease_namespace: str = "") -> str:
    """Say the first thing that is missing and how to get it; "" if nothing is."""
    try:
        return await crd_lack(cluster) or await permission_lack(cluster, namespaces, lease_namespace)
    except Unreachable as error:
        return f"The API server does not answer ({error}). Check that it runs and that its address is right."
    except Refused as refusal:
        if refusal.code == UNAUTHORIZED:
            return (
                f"The API server does not accept our credentials ({refusal.message}). Give the operator new ones: in a "
                "pod its service account's token, read again by itself, elsewhere a kubeconfig (waiting for them)."
            )
        return f"The API server answers with an error: {refusal.message}"


async def crd_lack(cluster: Cluster) -> str:
    """Tell whether the API server serves PodGroups."""
    lack = (
        f"The API server knows no {names.PLURAL}.{names.GROUP}. "
        "Install the CRD: kubectl apply -f crds/podgroups.yaml (waiting for it)."
    )
    try:
        document = await cluster.get(f"/apis/{names.API_VERSION}")
    except Refused as refusal:
        if refusal.code == NOT_FOUND:
            return lack
        raise
    served = {resource["name"] for resource in document.get("resources") or ()}
    return "" if names.PLURAL in served else lack


async def permission_lack(cluster: Cluster, namespaces: Sequence[str], lease_namespace: str = "") -> str:
    """Ask the API server whether we may do what we have to (SelfSubjectAccessReview; needs no permission itself)."""
    scopes = namespaces or ("",)
    questions = [(namespace, permission) for namespace in scopes for permission in NEEDED]
    if lease_namespace:
        questions += [(lease_namespace, permission) for permission in NEEDED_TO_LEAD]
    answers = await asyncio.gather(*(allowed(cluster, *question) for question in questions))
    missing = [question for question, yes in zip(questions, answers, strict=True) if not yes]
    if not missing:
        return ""
    place = f"in namespace {missing[0][0]}" if missing[0][0] else "in all namespaces"
    listed = ", ".join(str(permission) for namespace, permission in missing if namespace == missing[0][0])
    return (
        f"The operator may not do this {place}: {listed}. Grant it with a ClusterRole or Role bound to its "
        "ServiceAccount or user (waiting for it)."
    )


async def allowed(cluster: Cluster, namespace: str, permission: Permission) -> bool:
    """Ask whether we have one permission."""
    attributes = {
        "namespace": namespace,
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "name": permission.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    path = object_path("/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", "", "")
    answer = await cluster.ask(path, review)
    return bool(answer["status"].get("allowed"))
