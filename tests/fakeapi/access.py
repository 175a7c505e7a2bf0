"""Who may do what: everything is allowed but what a test denies.

One list answers both the requests themselves (403) and the operator's question whether it has a right
(SelfSubjectAccessReview), so the two cannot disagree.
"""

from fakeapi import errors
from fakeapi.resources import Obj, Resource, qualify

USER = "system:serviceaccount:podgroup-system:podgroup-operator"


class Access:
    """The denied rights."""

    def __init__(self) -> None:
        self._denied: set[tuple[str, str]] = set()

    def deny(self, verb: str, resource: str) -> None:
        """Take a right away: a verb on "pods", "podgroups.selfheal.dev" or "podgroups.selfheal.dev/status"."""
        self._denied.add((verb, resource))

    def allow(self, verb: str, resource: str) -> None:
        """Give a right back."""
        self._denied.discard((verb, resource))

    def check(self, verb: str, resource: Resource, subresource: str, namespace: str, name: str) -> None:
        """Refuse what is denied.

        Raises:
            StatusError: 403, in the words of apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
        """
        if self._allows(verb, resource.qualified, subresource):
            return
        door = f"{resource.plural}/{subresource}" if subresource else resource.plural
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        why = f'User "{USER}" cannot {verb} resource "{door}" in API group "{resource.group}" {where}'
        raise errors.forbidden(resource, "" if verb == "create" else name, why)

    def review(self, body: Obj) -> Obj:
        """Answer a SelfSubjectAccessReview."""
        asked = body["spec"].get("resourceAttributes") or {}
        resource = qualify(asked.get("resource", ""), asked.get("group", ""))
        allowed = self._allows(asked.get("verb", ""), resource, asked.get("subresource", ""))
        return {**body, "metadata": {}, "status": {"allowed": allowed}}

    def _allows(self, verb: str, resource: str, subresource: str) -> bool:
        door = f"{resource}/{subresource}" if subresource else resource
        return (verb, door) not in self._denied
