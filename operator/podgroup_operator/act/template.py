"""Asking the API server about a template before pods are made of it.

No schema can know it all (a volume mount without its volume, a policy of the cluster), so each new template is
shown to the server once as a dry run. A "no" is the user's to solve: it becomes the condition Stalled with the
server's words, costs one request and not a loop, and touches no pod that runs.
"""

from podgroup_operator.api.cluster import INVALID, Refused, Unreachable, pods_path
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model import Create
from podgroup_operator.core.names import pod_name
from podgroup_operator.observe.groups import Group


async def objection(group: Group, writer: Writer) -> Refused | None:
    """Ask what the API server has against the group's template; None if nothing, or nothing lasting."""
    desired = group.desired
    epoch = -1  # a name that no pod ever has
    sample = Create(pod_name(desired.name, desired.uid, 0, epoch), 0, epoch)
    try:
        await writer.create(
            pods_path(desired.namespace),
            pod_manifest(desired, group.template, sample),
            {"dryRun": "All", "fieldValidation": "Strict"},
        )
    except Refused as refusal:
        return refusal if refusal.code in INVALID else None
    except Unreachable:
        return None
    return None
