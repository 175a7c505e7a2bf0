"""The few things that the demo asks of the API server, through the official Kubernetes client.

A person would use kubectl; each step shows that command. The client is used here because then the very moment is
known at which a request is sent. Answers are taken as plain JSON: the client's models cost milliseconds and tell us
nothing more.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes.client.exceptions import ApiException

import kubernetes
from demo.trouble import Trouble
from podgroup_operator.core.names import GROUP, PLURAL, VERSION

client: Any = kubernetes.client  # it has no types of its own

REQUEST_SECONDS = 15
ANOTHER = "`kubectl config view` shows what is in it; `make demo CLUSTER=local` takes no kubeconfig."
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CRD_NAME = f"{PLURAL}.{GROUP}"
MERGE = "application/merge-patch+json"
NOT_FOUND = 404
TOO_MANY_REQUESTS = 429

Json = dict[str, Any]


def read_manifest(path: Path) -> Json:
    """Read a YAML file that holds one object."""
    manifest: Json = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)  # the CRD takes the pure Python loader 2 s
    return manifest


class Api:
    """The API server of one kubeconfig.

    Every method raises ApiException when the server refuses, and urllib3's HTTPError when it does not answer.
    """

    def __init__(self, kubeconfig: str) -> None:
        """Read the kubeconfig; nothing is asked of the server yet.

        Raises:
            Trouble: the kubeconfig cannot be used.
        """
        configuration = client.Configuration()
        load: Any = kubernetes.config.load_kube_config
        try:
            load(kubeconfig, client_configuration=configuration, persist_config=False)
        except Exception as unreadable:  # a folder, a list, no YAML: the client has an exception of its own for few
            message = f"The kubeconfig {kubeconfig} cannot be used: {str(unreadable).rstrip('.')}. {ANOTHER}"
            raise Trouble(message) from unreadable
        if urlsplit(configuration.host).hostname in LOOPBACK:
            configuration.proxy = None  # the user's proxy does not know this machine
        configuration.retries = False  # a recovery is timed from the request, so it must be sent once
        connection = client.ApiClient(configuration)
        self._connection = connection
        self.server: str = configuration.host
        self.core = client.CoreV1Api(connection)
        self._custom = client.CustomObjectsApi(connection)
        self._extensions = client.ApiextensionsV1Api(connection)
        self._version = client.VersionApi(connection)

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def version(self) -> str:
        """Ask for the version of Kubernetes, such as v1.37.2."""
        return str(_ask(self._version.get_code)["gitVersion"])

    def has_crd(self) -> bool:
        """Ask whether PodGroups are known here."""
        return _exists(self._extensions.read_custom_resource_definition, CRD_NAME)

    def create_crd(self, manifest: Json) -> None:
        """Make PodGroups known."""
        _ask(self._extensions.create_custom_resource_definition, manifest)

    def delete_crd(self) -> None:
        """Make PodGroups unknown; every PodGroup that exists goes with it."""
        _ask(self._extensions.delete_custom_resource_definition, CRD_NAME)

    def serves_podgroups(self) -> bool:
        """Ask whether PodGroups can be made already; it takes a moment after the CRD was created."""
        try:
            return _exists(self._custom.list_cluster_custom_object, GROUP, VERSION, PLURAL)
        except ApiException as refusal:
            if refusal.status == TOO_MANY_REQUESTS:  # its storage is being initialised
                return False
            raise

    def podgroups(self) -> list[Json]:
        """List the PodGroups of all namespaces."""
        answer = _ask(self._custom.list_cluster_custom_object, GROUP, VERSION, PLURAL)
        items: list[Json] = answer["items"]
        return items

    def create_namespace(self, name: str) -> None:
        """Create a namespace."""
        _ask(self.core.create_namespace, {"metadata": {"name": name}})

    def has_namespace(self, name: str) -> bool:
        """Ask whether the namespace is there, be it on its way out."""
        return _exists(self.core.read_namespace, name)

    def has_service_account(self, namespace: str) -> bool:
        """Ask whether the ServiceAccount `default` is there; before that no pod is accepted."""
        return _exists(self.core.read_namespaced_service_account, "default", namespace)

    def delete_namespace(self, name: str) -> None:
        """Ask for the end of a namespace and all that is in it."""
        _ask(self.core.delete_namespace, name)

    def create_podgroup(self, namespace: str, manifest: Json) -> None:
        """Create a PodGroup."""
        _ask(self._custom.create_namespaced_custom_object, GROUP, VERSION, namespace, PLURAL, manifest)

    def podgroup_status(self, namespace: str, name: str) -> Json:
        """Read what the operator says of a PodGroup; empty before its first word."""
        answer = _ask(self._custom.get_namespaced_custom_object, GROUP, VERSION, namespace, PLURAL, name)
        status: Json = answer.get("status", {})
        return status

    def scale_podgroup(self, namespace: str, name: str, replicas: int) -> None:
        """Set the wanted number of pods through the scale subresource, as `kubectl scale` does."""
        scale = {"spec": {"replicas": replicas}}
        patch = self._custom.patch_namespaced_custom_object_scale
        _ask(patch, GROUP, VERSION, namespace, PLURAL, name, scale, _content_type=MERGE)

    def delete_podgroup(self, namespace: str, name: str) -> None:
        """Ask for the end of a PodGroup, which stays until its pods have gone."""
        options = {"propagationPolicy": "Foreground"}
        delete = self._custom.delete_namespaced_custom_object
        _ask(delete, GROUP, VERSION, namespace, PLURAL, name, body=options)

    def create_pod(self, namespace: str, manifest: Json) -> None:
        """Create a bare pod."""
        _ask(self.core.create_namespaced_pod, namespace, manifest)

    def label_pod(self, namespace: str, name: str, labels: dict[str, str]) -> None:
        """Put labels on a pod."""
        _ask(self.core.patch_namespaced_pod, name, namespace, {"metadata": {"labels": labels}}, _content_type=MERGE)

    def delete_pod(self, namespace: str, name: str, uid: str) -> None:
        """Delete one pod, and none that has come in its place."""
        _ask(self.core.delete_namespaced_pod, name, namespace, body={"preconditions": {"uid": uid}})

    def delete_pods(self, namespace: str, selector: str) -> None:
        """Delete all pods with these labels, in one request."""
        _ask(self.core.delete_collection_namespaced_pod, namespace, label_selector=selector)

    def list_pods(self, namespace: str) -> Json:
        """List the pods of a namespace."""
        return _ask(self.core.list_namespaced_pod, namespace)


def _ask(function: Callable[..., Any], *arguments: object, **options: object) -> Json:
    """Make a request and return the plain answer."""
    response = function(*arguments, **options, _preload_content=False, _request_timeout=REQUEST_SECONDS)
    if response.status >= 400:  # noqa: PLR2004 - with raw answers the client may leave this to us
        raise ApiException(http_resp=response)
    try:
        answer: Json = json.loads(response.data)
    except ValueError as foreign:
        message = f"What answers at {response.geturl() or 'this address'} is no API server. {ANOTHER}"
        raise Trouble(message) from foreign
    return answer


def _exists(function: Callable[..., Any], *arguments: object) -> bool:
    try:
        _ask(function, *arguments)
    except ApiException as refusal:
        if refusal.status == NOT_FOUND:
            return False
        raise
    return True
