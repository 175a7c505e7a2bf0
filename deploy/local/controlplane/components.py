"""How each program of the control plane is started.

As near to a cluster of kubeadm or kind as plain processes can be: RBAC, TLS and client certificates everywhere,
default admission plugins, feature gates, controllers and client limits. What differs says why. All listen on
127.0.0.1 only. The programs run in the cluster's directory, so files are named without a path.
"""

import json

from controlplane.options import Options
from controlplane.ports import LOOPBACK
from controlplane.programs import APISERVER, CONTROLLER_MANAGER, ETCD, KWOK, MODULES, SCHEDULER, Program

SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.128.0.0/9"
AUDIT_LOG = "audit.log"
AUDIT_POLICY = "audit-policy.yaml"
STAGES = MODULES / "kwok" / "stages.yaml"

PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""What needs a port of its own; kwok serves nothing."""


def arguments(ports: dict[str, int], options: Options) -> dict[Program, list[str]]:
    """Return the command line of each program, without its own name."""
    default = {
        ETCD: _etcd(ports, options),
        APISERVER: _apiserver(ports, options),
        CONTROLLER_MANAGER: _controller_manager(ports),
        SCHEDULER: _scheduler(ports),
        KWOK: _kwok(),
    }
    return {program: [*line, *options.arguments.get(program.name, [])] for program, line in default.items()}


def _etcd(ports: dict[str, int], options: Options) -> list[str]:
    client = f"https://{LOOPBACK}:{ports['etcd']}"
    peer = f"https://{LOOPBACK}:{ports['etcd-peer']}"
    return [
        "--data-dir=etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # Loopback is open to every user of the machine, and whoever reads etcd reads all Secrets.
        "--trusted-ca-file=ca.crt",
        "--cert-file=server.crt",
        "--key-file=server.key",
        "--client-cert-auth",
        "--peer-trusted-ca-file=ca.crt",
        "--peer-cert-file=server.crt",
        "--peer-key-file=server.key",
        "--peer-client-cert-auth",
        "--socket-reuse-port",
        "--log-format=console",
        "--log-level=warn",
        f"--unsafe-no-fsync={_flag(not options.fsync)}",
    ]


def _apiserver(ports: dict[str, int], options: Options) -> list[str]:
    return [
        *_serving(ports["kube-apiserver"]),
        f"--advertise-address={LOOPBACK}",
        # The `kubernetes` Service cannot point to a loopback address, so it stays without endpoints.
        "--endpoint-reconciler-type=none",
        f"--etcd-servers=https://{LOOPBACK}:{ports['etcd']}",
        "--etcd-cafile=ca.crt",
        "--etcd-certfile=server.crt",
        "--etcd-keyfile=server.key",
        "--client-ca-file=ca.crt",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-account-key-file=sa.key",
        "--service-account-signing-key-file=sa.key",
        *_audit(options),
    ]


def _audit(options: Options) -> list[str]:
    if options.audit == "None":
        return []
    return [f"--audit-policy-file={AUDIT_POLICY}", f"--audit-log-path={AUDIT_LOG}"]


def audit_policy(options: Options) -> str:
    """Return the content of the policy file: one level for everything, or for everything that one user does."""
    rule = {"level": options.audit} | ({"users": [options.audit_user]} if options.audit_user else {})
    # What matches no rule is not written.
    return json.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [rule]})


def _controller_manager(ports: dict[str, int]) -> list[str]:
    return [
        *_serving(ports["kube-controller-manager"]),
        *_client("kube-controller-manager"),
        "--root-ca-file=ca.crt",
        "--service-account-private-key-file=sa.key",
        # Its default is a folder of the system's, which it would create.
        "--flex-volume-plugin-dir=flexvolume",
        # There is one of each, and waiting for the lease of one that was killed takes 15 s.
        "--leader-elect=false",
    ]


def _scheduler(ports: dict[str, int]) -> list[str]:
    return [*_serving(ports["kube-scheduler"]), *_client("kube-scheduler"), "--leader-elect=false"]


def _kwok() -> list[str]:
    return [
        "--kubeconfig=kwok.kubeconfig",
        f"--config={STAGES}",
        f"--cidr={POD_RANGE}",
        # By label, because a node that loses kwok's usual annotation is looked after all the same.
        "--manage-nodes-with-label-selector=kwok.x-k8s.io/node=fake",
        "--node-lease-duration-seconds=40",
    ]


def _serving(port: int) -> list[str]:
    return [
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        "--permit-port-sharing=true",
        "--tls-cert-file=server.crt",
        "--tls-private-key-file=server.key",
    ]


def _client(name: str) -> list[str]:
    kubeconfig = f"{name}.kubeconfig"
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        # Its own port trusts our certificates without looking for other authorities, of which there are none.
        "--client-ca-file=ca.crt",
        "--authentication-skip-lookup=true",
    ]


def _flag(value: bool) -> str:  # noqa: FBT001 -- it spells a flag's value, it does not switch anything
    return str(value).lower()
