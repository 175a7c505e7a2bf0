"""Local clusters of a test's own, beside the chosen one: another audit log, other limits, nobody else in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_kind import KindCluster

from controlplane.abandoned import own_name
from controlplane.programs import KUBECTL, MODULES
from e2e.operator_fixtures import CRD_FILE, OTHER_CRD_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

WITH_CRDS = (f"--crd={CRD_FILE}", f"--crd={OTHER_CRD_FILE}")
"""Flags for a cluster that has both CRDs from the beginning; one that comes later the garbage collector notices only
after up to 30 s."""


@contextmanager
def start_local_cluster(name: str, *flags: str) -> Iterator[KindCluster]:
    """Start a local control plane, and leave nothing of it behind.

    Args:
        name: tells it from the others of this run.
        flags: of `create cluster`.
    """
    made = KindCluster(own_name("e2e", name), kind_path=MODULES / "kind", kubectl_path=KUBECTL.path)
    try:
        config = made.path / "flags"
        config.write_text("\n".join(flags))
        made.create(config_file=config)
        yield made
    finally:
        made.delete()
        shutil.rmtree(made.path)
