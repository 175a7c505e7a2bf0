"""A terminal in a test's namespace: types what the docs say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from installed.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace


class Terminal:
    """Types commands in a folder, for the test's namespace.

    Args:
        cluster: whose kubectl and kubeconfig are taken.
        shop: the namespace.
        folder: the folder, for it alone.
        programs: what else is on PATH before all else, by name.
    """

    def __init__(
        self, cluster: KindCluster, shop: Namespace, folder: Path, programs: Mapping[str, Path] | None = None
    ) -> None:
        kubeconfig = yaml.safe_load(Path(cluster.kubeconfig_path).read_text())
        for each in kubeconfig["contexts"]:
            each["context"]["namespace"] = shop.name
        login = folder / "kubeconfig"
        login.write_text(yaml.safe_dump(kubeconfig))
        self._shell = Shell(login, {"kubectl": Path(cluster.kubectl_path), **(programs or {})}, folder)
        self._folder = folder

    def type(self, commands: str) -> str:
        """Type commands, all of which must succeed; return what they print."""
        return self._shell.run(f"cd {self._folder}\n{commands}")
