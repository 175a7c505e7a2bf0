"""Origin: whether a pod that is taken in is what a template makes, so that it need not be replaced.

A pod has what its template says, written out by the server, and what admission added: a service account's token,
tolerations, a mesh's sidecar. What it has beyond the template must also be in a pod that is made of the template now,
in a dry run, or else the template has lost something since. What it got in its life, a node, a debugger, is no matter.

Labels and annotations are compared as far as the template names them: nodes and networks add their own.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from podgroup_operator.act.likeness import defaulted
from podgroup_operator.act.template import sample_of
from podgroup_operator.api.cluster import Refused
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.desired import Desired

Json = dict[str, Any]

ITS_OWN = frozenset({"nodeName", "ephemeralContainers"})
"""What a pod gets in its life."""

ACCESS = "kube-api-access-"  # begins the name of the volume that the server adds for a token
NAMES = ("name", "mountPath", "devicePath", "topologyKey")
"""Fields of which one tells the items of a list apart."""


class Origin:
    """What a template makes, as the API server says now."""

    def __init__(self, template: Json, sample: Json | None) -> None:
        self._metadata = template.get("metadata") or {}
        self._template = without_token_names(template.get("spec") or {})
        self._sample = without_token_names(sample.get("spec") or {}) if sample else None

    def made(self, pod: Json) -> bool:
        """Tell whether a pod is what the template makes."""
        metadata = pod.get("metadata") or {}
        for field in ("labels", "annotations"):
            wanted, has = self._metadata.get(field) or {}, metadata.get(field) or {}
            if not wanted.items() <= has.items():
                return False
        spec = {key: value for key, value in (pod.get("spec") or {}).items() if key not in ITS_OWN}
        template = {key: value for key, value in self._template.items() if key not in ITS_OWN}
        known = without_token_names(spec)
        return fits(known, template, known if self._sample is None else self._sample)


async def origin(desired: Desired, template: Json, writer: Writer) -> Origin:
    """Ask what a template makes; where no pod may be made now, say for a quota, all that it may have beyond it counts.

    Raises:
        Refused: the API server does not tell.
        Unreachable: it does not answer.
    """
    body, sample = await asyncio.gather(defaulted(writer, template), sample_if_any(desired, template, writer))
    return Origin(body["template"], sample)


async def sample_if_any(desired: Desired, template: Json, writer: Writer) -> Json | None:
    """Give the pod that would come of a template now; None if none would.

    Raises:
        Refused: the API server has failed, or has too much to do.
        Unreachable: it does not answer.
    """
    try:
        return await sample_of(desired, template, writer)
    except Refused as refusal:
        if refusal.is_passing:
            raise
        return None


def fits(pod: Any, template: Any, sample: Any) -> bool:
    """Tell whether a pod has all that a template says, and beyond it only what a sample has too."""
    if isinstance(template, dict) and isinstance(pod, dict):
        known = sample if isinstance(sample, dict) else {}
        return all(key in pod and fits(pod[key], each, known.get(key)) for key, each in template.items()) and all(
            key in known for key in pod.keys() - template.keys()
        )
    if isinstance(template, list) and isinstance(pod, list):
        return fits(by_name(pod), by_name(template), by_name(sample if isinstance(sample, list) else []))
    return bool(pod == template)


def by_name(items: list[Any]) -> Mapping[str, Any]:
    """Give the items of a list by what tells them apart: a name, or all of it."""
    return {name_of(each): each for each in items}


def name_of(item: Any) -> str:
    """Tell an item of a list from others."""
    if isinstance(item, dict):
        for field in NAMES:
            if field in item:
                return f"{field}={item[field]}"
    return repr(sorted(item.items(), key=repr)) if isinstance(item, dict) else repr(item)


def without_token_names(value: Any) -> Any:
    """Give the volume of a service account's token, whose name is drawn by lot, always the same name."""
    if isinstance(value, dict):
        return {key: without_token_names(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_token_names(each) for each in value]
    return ACCESS if isinstance(value, str) and value.startswith(ACCESS) else value
