"""The ConfigMap for Argo CD is what the generator makes of the Lua beside it."""

from __future__ import annotations

import runpy
from pathlib import Path

GENERATE = runpy.run_path(str(Path(__file__).resolve().parents[2] / "deploy/argocd/generate.py"))


def test_the_config_map_is_up_to_date() -> None:
    """deploy/argocd/argocd-cm.yaml comes out as it is committed."""
    assert GENERATE["render"]() == GENERATE["CONFIG_MAP"].read_text(), "run `make argocd`"
    assert GENERATE["actions"]() == ["pause", "restart", "resume"]
