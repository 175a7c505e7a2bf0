"""The discovery documents: what clients read to learn which resources there are, and how they are called."""

from collections.abc import Iterable

from fakeapi.resources import Obj, Resource

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
SUBRESOURCE_VERBS = ["get", "patch", "update"]
VERSION = {"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"}
REVIEWS: Obj = {
    "name": "selfsubjectaccessreviews",
    "singularName": "selfsubjectaccessreview",
    "namespaced": False,
    "kind": "SelfSubjectAccessReview",
    "verbs": ["create"],
}


def document(path: str, served: Iterable[Resource]) -> Obj | None:
    """Give the document at a path, of what is served now; None if there is none."""
    resources = list(served)
    match [part for part in path.split("/") if part]:
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            return _groups(resources)
        case ["api", version]:
            return _resources("", version, resources)
        case ["apis", group, version]:
            return _resources(group, version, resources)
        case _:
            return None


def _groups(resources: list[Resource]) -> Obj:
    groups = {resource.group: resource.version for resource in resources if resource.group}
    groups["authorization.k8s.io"] = "v1"
    listed = [
        {"name": group, "versions": [version], "preferredVersion": version}
        for group, version in (
            (group, {"groupVersion": f"{group}/{version}", "version": version}) for group, version in groups.items()
        )
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def _resources(group: str, version: str, resources: list[Resource]) -> Obj | None:
    here = [resource for resource in resources if (resource.group, resource.version) == (group, version)]
    entries = [entry for resource in here for entry in _entries(resource)]
    if group == "authorization.k8s.io":
        entries.append(REVIEWS)
    if not entries:
        return None
    group_version = f"{group}/{version}" if group else version
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": entries,
    }


def _entries(resource: Resource) -> list[Obj]:
    main: Obj = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": VERBS,
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    return [main, *(_subresource(resource, name) for name in resource.subresources)]


def _subresource(resource: Resource, name: str) -> Obj:
    entry: Obj = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": SUBRESOURCE_VERBS,
    }
    if name == "scale":
        entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return entry
