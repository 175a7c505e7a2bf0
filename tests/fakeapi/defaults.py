"""What kube-apiserver fills in when an object is created: strategies' PrepareForCreate and the API defaults.

Those of a pod's spec are in `pod_defaults.py`. The two tolerations come from the admission plugin
DefaultTolerationSeconds and are why an unreachable node's pods live on for five minutes.
"""

from collections.abc import Callable

from fakeapi.pod_defaults import defaulted_pod_spec, defaulted_template
from fakeapi.resources import CRDS, NAMESPACES, POD_TEMPLATES, PODGROUPS, PODS, REVISIONS, Obj, Resource

POD_SPEC: Obj = {
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
    "priority": 0,
}
TOLERATIONS: list[Obj] = [
    {
        "key": f"node.kubernetes.io/{trouble}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for trouble in ("not-ready", "unreachable")
]


def fill_in(resource: Resource, obj: Obj) -> Obj:
    """Give a new object with its defaults; what a client may not set at creation is dropped."""
    if resource.has_generation:
        obj = {**obj, "metadata": {**obj["metadata"], "generation": 1}}
    prepare = PREPARE.get(resource)
    return prepare(obj) if prepare else obj


def _pod(pod: Obj) -> Obj:
    spec = {**POD_SPEC, **defaulted_pod_spec(pod.get("spec", {}))}
    own = spec.get("tolerations") or []
    known = {toleration.get("key") for toleration in own}
    spec["tolerations"] = own + [extra for extra in TOLERATIONS if extra["key"] not in known]
    return {**pod, "spec": spec, "status": {"phase": "Pending", "qosClass": "BestEffort"}}


def _pod_template(template: Obj) -> Obj:
    return {**template, "template": defaulted_template(template.get("template"))}


def _revision(revision: Obj) -> Obj:
    return {"revision": 0, **revision}


def _namespace(namespace: Obj) -> Obj:
    metadata = namespace["metadata"]
    labels = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": metadata["name"]}
    return {
        **namespace,
        "metadata": {**metadata, "labels": labels},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _without_status(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key != "status"}


def _established(crd: Obj) -> Obj:
    conditions = [
        {
            "type": "NamesAccepted",
            "status": "True",
            "reason": "NoConflicts",
            "message": "no conflicts found",
        },
        {
            "type": "Established",
            "status": "True",
            "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted",
        },
    ]
    return {**crd, "status": {"acceptedNames": crd["spec"]["names"], "conditions": conditions}}


PREPARE: dict[Resource, Callable[[Obj], Obj]] = {
    PODS: _pod,
    POD_TEMPLATES: _pod_template,
    REVISIONS: _revision,
    NAMESPACES: _namespace,
    PODGROUPS: _without_status,
    CRDS: _established,
}


def definition(resource: Resource) -> Obj:
    """Give the CustomResourceDefinition that makes the API serve a custom resource."""
    names = {
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "plural": resource.plural,
        "singular": resource.kind.lower(),
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
    }
    return {
        "apiVersion": CRDS.api_version,
        "kind": CRDS.kind,
        "metadata": {"name": resource.qualified},
        "spec": {
            "group": resource.group,
            "names": names,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [{"name": resource.version, "served": True, "storage": True}],
        },
    }
