"""Before work starts: is everything there that we need? If not, say what, and how to get it, and wait.

The CRD may be installed after the operator, and permissions may be granted later. Both are looked for again
and again; nothing has to be restarted when they come. Each namespace that is served is asked about by itself: where
something is missing the others go on.

What may be done in a namespace is asked in one request (SelfSubjectRulesReview). Its answer may leave out what an
authorizer cannot list, so what is not in it is asked for one by one (SelfSubjectAccessReview); and for all namespaces
together there is no such list.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from podgroup_operator.api.cluster import Cluster, object_path
from podgroup_operator.api.refusals import NOT_FOUND, UNAUTHORIZED, Refused, Unreachable
from podgroup_operator.backoff import Backoff
from podgroup_operator.core import names
from podgroup_operator.core.lease import NARROW, WIDE

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0  # seconds between looks
REMIND_SECONDS = 60.0
AUTHORIZATION = "/apis/authorization.k8s.io/v1"

Json = dict[str, Any]

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
        return (
            f"{self.verb} {self.door}"
            + (f".{self.group}" if self.group else "")
            + (f" {self.name}" if self.name else "")
        )

    @property
    def door(self) -> str:
        """Give the resource as rules write it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    def is_in(self, rule: Json) -> bool:
        """Tell whether a rule grants it."""
        resources = {self.door, "*"} | ({f"*/{self.subresource}"} if self.subresource else set())
        return (
            not {self.verb, "*"}.isdisjoint(rule.get("verbs") or ())
            and not {self.group, "*"}.isdisjoint(rule.get("apiGroups") or ())
            and not resources.isdisjoint(rule.get("resources") or ())
            and (not rule.get("resourceNames") or self.name in rule["resourceNames"])
        )


NEEDED = (
    *(Permission(verb, names.GROUP, names.PLURAL) for verb in ("get", "list", "watch")),
    Permission("patch", names.GROUP, names.PLURAL, "status"),
    *(Permission(verb, "", "pods") for verb in ("get", "list", "watch", "create", "patch", "delete")),
)
"""What it takes to keep pods."""

REVISIONS = "apps", "controllerrevisions"

WANTED = (
    Permission("create", "events.k8s.io", "events"),
    *(Permission(verb, *REVISIONS) for verb in ("get", "list", "watch", "create", "patch", "delete")),
    Permission("patch", "", "pods", "resize"),
    Permission("create", "", "podtemplates"),
    Permission("create", "", "pods", "eviction"),
)
"""What it takes to tell of it, to roll out, and to move what ails; without it pods are kept all the same."""

NODES = Permission("list", "", "nodes"), Permission("watch", "", "nodes")
"""What it takes to see which nodes are lost."""

UNSEEN = "until the operator is started again with it, others that serve namespace {namespace} are not seen."

LEASES = "coordination.k8s.io", "leases"


def needed_to_lead(lease: str) -> tuple[Permission, ...]:
    """Give what it takes to hold a Lease; what does not exist yet cannot be granted by its name."""
    return Permission("create", *LEASES), *(Permission(verb, *LEASES, name=lease) for verb in ("get", "patch"))


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out about a part of the cluster that is served.

    Attributes:
        lack: the first thing that is missing and how to get it; "" if nothing is.
        remark: what is missing that we can do without; "" if nothing is.
        unrevised: whether revisions may not be read.
        unseen: why others that serve it are not seen; "" if they are.
        narrow: whether the Lease of this namespace alone may be held.
    """

    lack: str = ""
    remark: str = ""
    unrevised: bool = False
    unseen: str = ""
    narrow: bool = False


class Preflight:
    """Asks whether all is there.

    Args:
        cluster: the API.
        lease_namespace: where the Lease is; "" without leader election.
    """

    def __init__(self, cluster: Cluster, lease_namespace: str = "") -> None:
        self._cluster = cluster
        self._lease_namespace = lease_namespace
        self._said: dict[str, str] = {}

    async def wait(self, namespace: str, say: Callable[[str], None]) -> Findings:
        """Return when the CRD is served and every permission is granted; until then, log what is missing.

        Args:
            namespace: the one that is served; "" is all.
            say: told what is being waited for, for /readyz; "" when nothing is.
        """
        since, pauses = 0.0, Backoff(FIRST_PAUSE, LONGEST_PAUSE, 1.5)
        while True:
            findings = await self.find(namespace)
            say(findings.lack)
            if not findings.lack:
                if self._said.pop(namespace, ""):
                    logger.info("Everything that was missing is there now.")
                return findings
            if findings.lack not in self._said.values() or since >= REMIND_SECONDS:
                logger.warning("%s", findings.lack)
                since = 0.0
            self._said[namespace] = findings.lack
            pause = pauses.next()
            since += pause
            await asyncio.sleep(pause)

    async def find(self, namespace: str) -> Findings:
        """Look once."""
        try:
            lack = await crd_lack(self._cluster)
            return Findings(lack) if lack else await self._permissions(namespace)
        except Unreachable as error:
            return Findings(
                f"The API server does not answer ({error}). Check that it runs and that its address is right."
            )
        except Refused as refusal:
            if refusal.code == UNAUTHORIZED:
                return Findings(
                    f"The API server does not accept our credentials ({refusal.message}). Give the operator new ones: "
                    "in a pod its service account's token, read again by itself, elsewhere a kubeconfig (waiting for "
                    "them)."
                )
            return Findings(f"The API server answers with an error: {refusal.message}")

    async def _permissions(self, namespace: str) -> Findings:
        narrow = needed_to_lead(NARROW) if namespace and self._lease_namespace else ()
        here = await missing(self._cluster, namespace, (*NEEDED, *WANTED, *narrow))
        lack = forbidden(namespace, [each for each in here if each in NEEDED])
        if not lack and self._lease_namespace:
            lack = forbidden(
                self._lease_namespace, await missing(self._cluster, self._lease_namespace, needed_to_lead(WIDE))
            )
        if lack:
            return Findings(f"{lack} (waiting for it).")
        unheard = forbidden(namespace, [each for each in here if each in WANTED])
        unseen = forbidden(namespace, [each for each in here if each in narrow])
        return Findings(
            remark=f"{unheard}." if unheard else "",
            unrevised=any(Permission(verb, *REVISIONS) in here for verb in ("list", "watch")),
            unseen=f"{unseen}; {UNSEEN.format(namespace=namespace)}" if unseen else "",
            narrow=bool(narrow) and not unseen,
        )


def forbidden(namespace: str, lacking: Sequence[Permission]) -> str:
    """Say what may not be done, and how to get it, without a full stop; "" if there is nothing."""
    if not lacking:
        return ""
    place = f"in namespace {namespace}" if namespace else "in all namespaces"
    return (
        f"The operator may not do this {place}: {', '.join(map(str, lacking))}. Grant it with a ClusterRole or Role "
        "bound to its ServiceAccount or user"
    )


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


async def missing(cluster: Cluster, namespace: str, wanted: Sequence[Permission]) -> list[Permission]:
    """Ask the API server which of these we do not have (needs no permission itself)."""
    rules = await rules_of(cluster, namespace) if namespace else []
    unknown = [permission for permission in wanted if not any(permission.is_in(rule) for rule in rules)]
    answers = await asyncio.gather(*(allowed(cluster, namespace, permission) for permission in unknown))
    return [permission for permission, yes in zip(unknown, answers, strict=True) if not yes]


async def rules_of(cluster: Cluster, namespace: str) -> list[Json]:
    """Ask what we may do in a namespace; the answer may not be all of it."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = await cluster.ask(f"{AUTHORIZATION}/selfsubjectrulesreviews", review)
    return list((answer.get("status") or {}).get("resourceRules") or ())


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
    answer = await cluster.ask(object_path(AUTHORIZATION, "selfsubjectaccessreviews", "", ""), review)
    return bool(answer["status"].get("allowed"))
