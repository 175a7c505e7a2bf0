"""What the chart renders, as tests ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/podgroup-operator"
NAMESPACE = "podgroup-system"
RULES = yaml.safe_load((CHART / "rules.yaml").read_text())
LEASE_RULES = yaml.safe_load((CHART / "lease-rules.yaml").read_text())
WIDE_RULES = yaml.safe_load((CHART / "wide-rules.yaml").read_text())

DEFAULTS = CHART / "values.yaml"

EVERYTHING = CHART / "ci/everything-values.yaml"
"""The values that switch on everything that can be."""


@dataclass(frozen=True)
class Rendered:
    """Manifests, in the order of helm."""

    manifests: list[Json]

    @property
    def names(self) -> set[tuple[str, str]]:
        """Kind and name of each."""
        return {(each["kind"], each["metadata"]["name"]) for each in self.manifests}

    @property
    def kinds(self) -> set[str]:
        """The kinds."""
        return {each["kind"] for each in self.manifests}

    def all(self, kind: str) -> list[Json]:
        """Those of a kind."""
        return [each for each in self.manifests if each["kind"] == kind]

    def one(self, kind: str) -> Json:
        """The only one of a kind."""
        (found,) = self.all(kind)
        return found

    @property
    def pods(self) -> list[Json]:
        """The spec of each pod that is made of them."""
        return [each["spec"] for each in self.all("Pod")] + [
            each["spec"]["template"]["spec"] for each in self.all("Deployment")
        ]
