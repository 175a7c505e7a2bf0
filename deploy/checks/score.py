"""Has kube-score look for what a manifest should have beyond being valid: probes, limits, a security context and more.

Every test of its own choice is run, and some more, but for those named here, each with its reason.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from controlplane.errors import ControlPlaneError
from controlplane.programs import Program, kubernetes_version

KUBE_SCORE = Program("kube-score", "lint", "github.com/zegl/kube-score/cmd/kube-score")

ASKED_TOO = ("container-memory-requests-equal-limits", "container-ports-check", "container-seccomp-profile")
"""Tests that kube-score runs only on demand."""

NOT_ASKED = {
    # Its root is read-only and it has no volume; only its log takes storage, and the kubelet rotates that. A limit
    # could do nothing but evict the operator.
    "container-ephemeral-storage-request-and-limit",
    # A tag names one version for ever, and an operator must come back without asking a registry.
    "container-image-pull-policy",
    # Its topologySpreadConstraints keep two operators apart; this test knows only podAntiAffinity.
    "deployment-has-host-podantiaffinity",
    # What it must let through depends on where the API server is, so the user switches the chart's on; that it then
    # selects the operator is networkpolicy-targets-pod's to say. Helm's test pod lives for seconds.
    "pod-networkpolicy",
}
"""Tests that are not run."""

WARNING = 5
"""The grade that kube-score gives to a warning; what is worse has less, what is well has 10."""


def findings(file: Path) -> list[str]:
    """Return a sentence for each thing that kube-score finds in a file, warnings too.

    Raises:
        ControlPlaneError: kube-score did not run.
    """
    minor = kubernetes_version().rpartition(".")[0]
    answer = subprocess.run(  # noqa: S603 -- our own program
        [
            str(KUBE_SCORE.path),
            "score",
            "--output-format=json",
            f"--kubernetes-version={minor}",
            # A throttled operator would heal late just when much has died; what it requests keeps its share.
            "--ignore-container-cpu-limit",
            # An exception belongs here, beside its reason, not into what users install.
            "--disable-ignore-checks-annotations",
            *(f"--enable-optional-test={test}" for test in ASKED_TOO),
            *(f"--ignore-test={test}" for test in sorted(NOT_ASKED)),
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if not answer.stdout:
        message = f"kube-score did not run: {answer.stderr.strip()}"
        raise ControlPlaneError(message)
    return [sentence for each in json.loads(answer.stdout) for sentence in _sentences(file, each)]


def _sentences(file: Path, scored: dict[str, Any]) -> list[str]:
    name = f"{scored['type_meta']['kind']} {scored['object_meta']['name']}"
    bad = [each for each in scored["checks"] or [] if not each["skipped"] and each["grade"] <= WARNING]
    return [
        f"{file}: {name}: {check['check']['id']}: {' '.join(filter(None, (comment['path'], comment['summary'])))}"
        for check in bad
        for comment in check["comments"] or [{"path": "", "summary": check["check"]["comment"]}]
    ]
