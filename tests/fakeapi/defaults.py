"""What kube-apiserver fills in when an object is created: strategies' PrepareForCreate and the API defaults.

Of a pod's many defaults those are here that a controller reads or compares; the two tolerations come from the
admission plugin DefaultTolerationSeconds and are why an unreachable node's pods live on for five minutes.
"""

from collections.abc import Callable

from fakeapi.resources import CRDS, NAMESPACES, PODGROUPS, PODS, Obj, Resource

POD_SPEC: Obj = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
    "priority": 0,
}
CONTAINER: Obj = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "Always",
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
    spec = {**POD_SPEC, **pod.get("spec", {})}
    spec["containers"] = [{**CONTAINER, **container} for container in spec.get("containers") or ()]
    own = spec.get("tolerations") or []
    known = {toleration.get("key") for toleration in own}
    spec["tolerations"] = own + [extra for extra in TOLERATIONS if extra["key"] not in known]
    return {**pod, "spec": spec, "status": {"phase": "Pending", "qosClass": "BestEffort"}}


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
