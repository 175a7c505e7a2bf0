"""Who may do what: everything is allowed but what a test denies.

One list answers both the requests themselves (403) and the operator's questions whether it has a right
(SelfSubjectAccessReview) and which it has (SelfSubjectRulesReview), so that they cannot disagree.
"""

from fakeapi import errors
from fakeapi.resources import RESOURCES, Obj, Resource, qualify

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")

USER = "system:serviceaccount:podgroup-system:podgroup-operator"


class Access:
    """The denied rights."""

    def __init__(self) -> None:
        self._denied: set[tuple[str, str]] = set()
        self._shut: set[str] = set()
        self._forbidden_names: set[str] = set()

    def deny(self, verb: str, resource: str) -> None:
        """Take a right away: a verb on "pods", "podgroups.selfheal.dev" or "podgroups.selfheal.dev/status"."""
        self._denied.add((verb, resource))

    def allow(self, verb: str, resource: str) -> None:
        """Give a right back."""
        self._denied.discard((verb, resource))

    def shut(self, namespace: str) -> None:
        """Take all rights in a namespace away."""
        self._shut.add(namespace)

    def open(self, namespace: str) -> None:
        """Give them back."""
        self._shut.discard(namespace)

    def forbid_by_name(self, name: str) -> None:
        """Take all rights on the objects of a name away."""
        self._forbidden_names.add(name)

    def check(self, verb: str, resource: Resource, subresource: str, namespace: str, name: str) -> None:
        """Refuse what is denied.

        Raises:
            StatusError: 403, in the words of apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
        """
        if not {namespace, name} & (self._shut | self._forbidden_names) and self._allows(
            verb, resource.qualified, subresource
        ):
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
        allowed = allowed and asked.get("namespace") not in self._shut
        allowed = allowed and asked.get("name") not in self._forbidden_names
        return {**body, "metadata": {}, "status": {"allowed": allowed}}

    def rules(self, body: Obj) -> Obj:
        """Answer a SelfSubjectRulesReview, a rule for each right; where names matter it cannot tell."""
        granted = (
            []
            if self._forbidden_names
            else [
                {"verbs": [verb], "apiGroups": [resource.group], "resources": [door]}
                for resource in RESOURCES
                for door in (resource.plural, *(f"{resource.plural}/{each}" for each in resource.subresources))
                for verb in VERBS
                if self._grants(verb, resource.group, door, body["spec"]["namespace"])
            ]
        )
        status = {"resourceRules": granted, "nonResourceRules": [], "incomplete": True}
        return {**body, "metadata": {}, "status": status}

    def _grants(self, verb: str, group: str, door: str, namespace: str) -> bool:
        resource, _, subresource = door.partition("/")
        asked = {"verb": verb, "group": group, "resource": resource, "namespace": namespace, "subresource": subresource}
        return bool(self.review({"spec": {"resourceAttributes": asked}})["status"]["allowed"])

    def _allows(self, verb: str, resource: str, subresource: str) -> bool:
        door = f"{resource}/{subresource}" if subresource else resource
        return (verb, door) not in self._denied
