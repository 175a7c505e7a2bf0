"""What kube-apiserver makes of a pod's spec, in a PodTemplate and in a Pod: what is empty goes, defaults come.

Two templates that mean the same are the same afterwards: that is what a dry-run create of a PodTemplate is good for.
The rules are those of kubernetes/pkg/apis/core/v1/defaults.go, and of the Go types: a field that is no pointer and has
`omitempty` is not written when it is empty. All were compared with the answers of a kube-apiserver 1.37.2.
"""

from typing import Any

from fakeapi.quantities import canonical
from fakeapi.resources import Obj

SPEC: Obj = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
CONTAINER: Obj = {"resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
PROBE: Obj = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
HTTP: Obj = {"path": "/", "scheme": "HTTP"}
MODE: Obj = {"defaultMode": 0o644}

LISTS_OF_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")

MAPS = ("labels", "annotations", "nodeSelector", "requests", "limits", "matchLabels", "overhead", "data")
"""Fields that go when they are `{}`; of any other field it is a value."""
POINTERS = ("type", "service", "volumeMode", "storageClassName", "fsGroupChangePolicy", "runtimeClassName")
"""Texts that stay when they are empty."""
PLAIN = (
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "readOnly",
    "tty",
    "stdin",
    "stdinOnce",
    "initialDelaySeconds",
    "hostPort",
)
"""Flags and numbers that go when they are false or 0."""
QUANTITIES = ("requests", "limits", "overhead")


def defaulted_template(template: Obj | None) -> Obj:
    """Give a template as a PodTemplate has it."""
    template = without_empty(template or {})
    return {**template, "metadata": template.get("metadata", {}), "spec": defaulted_spec(template.get("spec", {}))}


def defaulted_spec(written: Obj) -> Obj:
    """Give a pod's spec with the defaults that it has in a template too."""
    spec = {**SPEC, **without_empty(written)}
    for name in LISTS_OF_CONTAINERS:
        if name in spec:
            spec[name] = [container(each) for each in spec[name]]
    if "volumes" in spec:
        spec["volumes"] = [volume(each) for each in spec["volumes"]]
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    return spec | ({"serviceAccountName": account, "serviceAccount": account} if account else {})


def defaulted_pod_spec(written: Obj) -> Obj:
    """Give a pod's spec with what only a Pod gets: requests from limits, and the host's ports."""
    spec = defaulted_spec(written)
    for name in LISTS_OF_CONTAINERS:
        for each in spec.get(name, ()):
            resources, ports = each["resources"], each.get("ports", [])
            if "limits" in resources:
                resources["requests"] = resources["limits"] | resources.get("requests", {})
            for port in ports if spec.get("hostNetwork") else ():
                port.setdefault("hostPort", port["containerPort"])
    return spec


def without_empty(value: Any, field: str = "") -> Any:
    """Give JSON as the Go types write it again: without null, empty lists and maps, and what is zero anyway."""
    if isinstance(value, list):
        return [without_empty(each, field) for each in value]
    if not isinstance(value, dict):
        return value
    if field in QUANTITIES:
        return {name: canonical(each) for name, each in value.items()}
    inner = {name: without_empty(each, name) for name, each in value.items() if each is not None}
    kept_as_is = field in MAPS
    return {name: each for name, each in inner.items() if kept_as_is or not is_empty(name, each)}


def is_empty(name: str, value: object) -> bool:
    """Tell whether a field is left out when it has this value."""
    if value == {}:
        return name in MAPS
    if value == "":
        return name not in POINTERS
    return value == [] or (name in PLAIN and not value)


def container(written: Obj) -> Obj:
    """Give a container with its defaults."""
    made = {**CONTAINER, **written, "resources": dict(written.get("resources", {}))}
    made.setdefault("imagePullPolicy", pull_policy(made.get("image", "")))
    if "ports" in made:
        made["ports"] = [{"protocol": "TCP", **port} for port in made["ports"]]
    for name in PROBES:
        if name in made:
            made[name] = handler({**PROBE, **made[name]})
    if "lifecycle" in made:
        made["lifecycle"] = {name: handler(each) for name, each in made["lifecycle"].items()}
    if "env" in made:
        made["env"] = [variable(each) for each in made["env"]]
    return made


def pull_policy(image: str) -> str:
    """Give the pull policy of an image: one that may move is pulled each time."""
    tag = image.rpartition("/")[2].partition(":")[2]
    return "IfNotPresent" if "@" in image or tag not in ("", "latest") else "Always"


def handler(written: Obj) -> Obj:
    """Give what a probe or a hook does with its defaults."""
    made = dict(written)
    if "httpGet" in made:
        made["httpGet"] = {**HTTP, **made["httpGet"]}
    if "grpc" in made:
        made["grpc"] = {"service": "", **made["grpc"]}
    return made


def variable(written: Obj) -> Obj:
    """Give an environment variable with the defaults of what it is taken from."""
    source = reference(written.get("valueFrom", {}))
    return {**written, "valueFrom": source} if source else written


def reference(source: Obj) -> Obj:
    """Give a reference to a field of the pod, or to a resource of a container, with its defaults."""
    made = dict(source)
    if "fieldRef" in made:
        made["fieldRef"] = {"apiVersion": "v1", **made["fieldRef"]}
    if "resourceFieldRef" in made:
        divisor = canonical(made["resourceFieldRef"].get("divisor", "0"))
        made["resourceFieldRef"] = {**made["resourceFieldRef"], "divisor": divisor}
    return made


def volume(written: Obj) -> Obj:
    """Give a volume with its defaults; one without a source is an emptyDir."""
    made: Obj = dict(written) if len(written) > 1 else {**written, "emptyDir": {}}
    for name in ("configMap", "secret", "downwardAPI", "projected"):
        if name in made:
            made[name] = {**MODE, **made[name]}
    if "items" in made.get("downwardAPI", {}):
        made["downwardAPI"]["items"] = [reference(each) for each in made["downwardAPI"]["items"]]
    if "projected" in made:
        made["projected"]["sources"] = [projection(each) for each in made["projected"].get("sources", [])]
    if "hostPath" in made:
        made["hostPath"] = {"type": "", **made["hostPath"]}
    return made | room(made)


def room(made: Obj) -> Obj:
    """Give the sources of a volume that say how large it is, with their defaults."""
    sources: Obj = {}
    if "sizeLimit" in made.get("emptyDir", {}):
        sources["emptyDir"] = {**made["emptyDir"], "sizeLimit": canonical(made["emptyDir"]["sizeLimit"])}
    if claim := made.get("ephemeral", {}).get("volumeClaimTemplate"):
        spec = {"volumeMode": "Filesystem", **claim.get("spec", {})}
        sources["ephemeral"] = {"volumeClaimTemplate": {**claim, "metadata": claim.get("metadata", {}), "spec": spec}}
    return sources


def projection(source: Obj) -> Obj:
    """Give a source of a projected volume with its defaults."""
    if "serviceAccountToken" in source:
        return {"serviceAccountToken": {"expirationSeconds": 3600, **source["serviceAccountToken"]}}
    if "items" in source.get("downwardAPI", {}):
        items = [reference(each) for each in source["downwardAPI"]["items"]]
        return {"downwardAPI": {**source["downwardAPI"], "items": items}}
    return source
