"""The kubeconfig file that a user asked for: written with care, because it might be one that is dear to them.

Only a file that is empty, absent or about nothing but the same local cluster is written or removed. There is no
default: the user's own `~/.kube/config` and `KUBECONFIG` are never touched.
"""

from pathlib import Path

import yaml

from controlplane.errors import ControlPlaneError
from controlplane.ports import LOOPBACK


def export(directory: Path, target: Path) -> None:
    """Write the administrator's kubeconfig of the cluster in `directory` to `target`."""
    check_ours(directory.name, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_text((directory / "admin.kubeconfig").read_text())


def check_ours(name: str, target: Path) -> None:
    """Raise a ControlPlaneError if `target` holds anything but the kubeconfig of the cluster with that name."""
    if not _is_ours(name, target):
        message = (
            f"{target} holds another cluster's kubeconfig and stays as it is; name another file with --kubeconfig."
        )
        raise ControlPlaneError(message)


def remove(name: str, target: Path) -> None:
    """Remove the kubeconfig of the cluster with that name, if that is what `target` is."""
    if _is_ours(name, target):
        target.unlink(missing_ok=True)


def _is_ours(name: str, target: Path) -> bool:
    """Whether the file is missing or empty or knows only our cluster, also after kubectl changed its namespace."""
    if not target.exists():
        return True
    content = yaml.safe_load(target.read_text()) or {}
    return all(
        entry["name"] == f"local-{name}" and entry["cluster"]["server"].startswith(f"https://{LOOPBACK}:")
        for entry in content.get("clusters") or []
    )
