"""Asking the API server about a template before pods are made of it.

No schema can know it all (a volume mount without its volume, a policy of the cluster), so each new template is
shown to the server once as a dry run. A "no" is the user's to solve: it becomes the condition Stalled with the
server's words, costs one request and not a loop, and touches no pod that runs.

A "yes" may come with changes, for policies and webhooks may change what is written. A pod that has lost a label that
its group's selector needs would be nobody's, and its group would make the next one: that is looked for in every answer.
"""

from typing import Any

from podgroup_operator.api.cluster import pods_path
from podgroup_operator.api.refusals import INVALID, Refused
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.refusal import Refusal
from podgroup_operator.core.names import pod_name

Json = dict[str, Any]

CORRECT_TEMPLATE = (
    "Correct spec.template, or have the policy changed if it is one of the cluster that refuses it. "
    "Pods that run are left as they are."
)
NO_DRY_RUN = "does not support dry run"
"""What the API server says where it would have to ask a webhook that has effects (k8s.io/apiserver webhook/errors)."""

LEAVE_LABELS = (
    "Have the admission policy or webhook that does so leave these labels alone, or give the PodGroup another "
    "selector. No more pods are made until then; those that were are left alone."
)


async def sample_of(desired: Desired, template: Json, writer: Writer) -> Json:
    """Give the pod that would come of a template now, after all admission; nothing is stored.

    Raises:
        Refused: none would.
        Unreachable: there was no answer.
    """
    epoch = -1  # a name that no pod ever has
    sample = Create(pod_name(desired.name, desired.uid, 0, epoch), 0, epoch, desired.revision)
    return await writer.create(
        pods_path(desired.namespace),
        pod_manifest(desired, template, sample),
        {"dryRun": "All", "fieldValidation": "Strict"},
    )


async def objection(desired: Desired, template: Json, writer: Writer) -> tuple[Refusal, str] | None:
    """Ask what the API server has against the template of `desired.revision`; None if nothing, or nothing lasting.

    Returns:
        Its no, and what may be said of it in Events and the log, where no value of the template must appear.

    Raises:
        Refused: the API server has failed, or has too much to do.
        Unreachable: it does not answer.
    """
    try:
        body = await sample_of(desired, template, writer)
    except Refused as refusal:
        if not refusal.is_verdict:
            raise
        if refusal.code not in INVALID or NO_DRY_RUN in refusal.message:
            return None
        return judgement(refusal), str(refusal)
    lost = stray(desired, body)
    return (lost, lost.message) if lost else None


def judgement(refusal: Refused) -> Refusal:
    """Give the no to a template: what is invalid will be so; what a policy denies, it may take once it is set up."""
    return Refusal(refusal.message, forbidden=refusal.is_denied, advice=CORRECT_TEMPLATE)


def stray(desired: Desired, body: Json) -> Refusal | None:
    """Tell what is wrong if a pod, as the API server answers it, does not match its group's selector."""
    labels = body.get("metadata", {}).get("labels") or {}
    if desired.selector.matches(labels):
        return None
    wrong = [
        f"{key}={value} (it has {labels.get(key, 'none')})"
        for key, value in desired.selector.labels
        if labels.get(key) != value
    ]
    wrong += [str(each) for each in desired.selector.requirements if not each.matches(labels)]
    return Refusal(
        "Something between the operator and the store changes the labels of new pods, so that they do not match the "
        f"selector any more: {', '.join(wrong)}.",
        advice=LEAVE_LABELS,
    )
