"""Who is who in a cluster: one certificate authority, and for each client a certificate and a kubeconfig.

The names are those that Kubernetes' own RBAC rules are written for (kubeadm issues the same), so that every
component has the rights it has in a normal cluster and no more. Everything is made new for each cluster and lives
and dies with its directory.
"""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import trustme
import yaml

ADMINISTRATORS = "system:masters"
"""The group that may do everything."""

SERVICE_IP = "10.96.0.1"
"""The address of the `kubernetes` Service: the first of the Service range, as pods would call the API server."""

SERVER_NAMES = (
    "127.0.0.1",
    "localhost",
    SERVICE_IP,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True)
class Identity:
    """A user as the API server sees it: the name and the group of its client certificate."""

    name: str
    group: str


ADMIN = Identity("kubernetes-admin", ADMINISTRATORS)
CONTROLLER_MANAGER = Identity("system:kube-controller-manager", ADMINISTRATORS)
"""All controllers share this identity, as is the program's default. One ServiceAccount each, as kubeadm wants it,
costs 6 s at the start: the accounts are made one after the other, slowed by the client limits."""
SCHEDULER = Identity("system:kube-scheduler", "system:kube-scheduler")
KWOK = Identity("kwok", ADMINISTRATORS)
"""kwok plays every node's kubelet, which no single RBAC role allows."""

CLIENTS = {
    "admin": ADMIN,
    "kube-controller-manager": CONTROLLER_MANAGER,
    "kube-scheduler": SCHEDULER,
    "kwok": KWOK,
}


def write_credentials(directory: Path, cluster: str, server: str) -> None:
    """Write the authority's certificate, the servers', the service-account key, and each client's .pem and .kubeconfig.

    Args:
        directory: The cluster's own directory; only its owner may read it.
        cluster: The name that the kubeconfigs give to cluster, context and user.
        server: The URL of the API server.
    """
    authority = trustme.CA(organization_name="podgroup local control plane")
    authority.cert_pem.write_to_path(directory / "ca.crt")
    serving = authority.issue_cert(*SERVER_NAMES, common_name="kube-apiserver")
    serving.cert_chain_pems[0].write_to_path(directory / "server.crt")
    serving.private_key_pem.write_to_path(directory / "server.key")
    authority.issue_cert(common_name="service-accounts").private_key_pem.write_to_path(directory / "sa.key")
    for client, identity in CLIENTS.items():
        # Go refuses a certificate without any alternative name, so the client's name serves as one.
        issued = authority.issue_cert(client, common_name=identity.name, organization_name=identity.group)
        issued.private_key_and_cert_chain_pem.write_to_path(directory / f"{client}.pem")
        config = _kubeconfig(cluster, server, authority.cert_pem, issued)
        (directory / f"{client}.kubeconfig").write_text(yaml.safe_dump(config, sort_keys=False))


def _kubeconfig(cluster: str, server: str, authority: trustme.Blob, issued: trustme.LeafCert) -> dict[str, object]:
    user = {
        "client-certificate-data": _encoded(issued.cert_chain_pems[0]),
        "client-key-data": _encoded(issued.private_key_pem),
    }
    trusted = {"server": server, "certificate-authority-data": _encoded(authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "clusters": [{"name": cluster, "cluster": trusted}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "users": [{"name": cluster, "user": user}],
    }


def _encoded(pem: trustme.Blob) -> str:
    return b64encode(pem.bytes()).decode()
