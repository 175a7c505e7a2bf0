"""What may differ from one local cluster to another."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """The choices of `create cluster`; two clusters with equal options are started alike."""

    nodes: int = 3
    """Pretended nodes."""

    pods_per_node: int = 110
    """Pods that fit on a node; 110 is the kubelet's own default."""

    audit: str = "None"
    """What the API server writes to audit.log about each request: None, Metadata, Request or RequestResponse."""

    audit_user: str = ""
    """The one user whose requests are written there; "" is everybody."""

    fsync: bool = False
    """Whether etcd waits for the disk. Off, a request takes a fraction of the time and a power cut loses the
    cluster."""

    crds: list[str] = field(default_factory=list)
    """Files with a CustomResourceDefinition each, installed before the controllers start. The garbage collector looks
    for new kinds only every 30 s, so that objects of a kind that comes later are collected late at first."""

    arguments: dict[str, list[str]] = field(default_factory=dict)
    """More arguments for a program, by its name; they come last, so they win."""
