"""Origin: whether a pod that is taken in is what a template makes, so that it need not be replaced.

A pod has what its template says, written out by the server, and what admission added: a service account's token,
tolerations, a mesh's sidecar. What it has beyond the template must also be in a pod that is made of the template now,
in a dry run, or else the template has lost something since. What it got in its life, a node, a debugger, is no matter.

What admission changes in every pod, an image for its mirror or when to pull it, is in that pod too, and no difference.

Labels and annotations are compared as far as the template names them: nodes and networks add their own.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping
from typing import Any

from podgroup_operator.act.likeness import defaulted, without_empty
from podgroup_operator.act.template import sample_of
from podgroup_operator.api.refusals import Refused
from podgroup_operator.api.writer import Writer
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.names import LABEL_TEMPLATE_HASH
from podgroup_operator.core.spread import without_ours

Json = dict[str, Any]

ITS_OWN = frozenset({"nodeName", "ephemeralContainers"})
"""What a pod gets in its life."""

ACCESS = "kube-api-access-"  # begins the name of the volume that the server adds for a service account's token
NAMES = ("mountPath", "devicePath", "topologyKey", "name")
"""Fields of which one tells the items of a list apart."""


class Origin:
    """What a template makes, as the API server says now.

    Args:
        template: it, with the server's defaults.
        sample: a pod that is made of it now; None if none can be.
    """

    def __init__(self, template: Json, sample: Json | None) -> None:
        self._template = template
        self._sample = sample

    def made(self, pod: Json) -> bool:
        """Tell whether a pod is what the template makes."""
        return self._bears_its_words(pod) and fits(
            spec_of(pod), spec_of(self._template), spec_of(self._sample) if self._sample else None
        )

    def _bears_its_words(self, pod: Json) -> bool:
        """Tell whether a pod has the template's labels and annotations, or what admission makes of them."""
        for field in ("labels", "annotations"):
            wanted, has, would = (words_of(each, field) for each in (self._template, pod, self._sample or {}))
            if any(has.get(key) not in {value, would.get(key, value)} for key, value in wanted.items()):
                return False
        return True


def spec_of(body: Json) -> Json:
    """Give what counts in the spec of a pod or of a template."""
    spec = {key: value for key, value in (body.get("spec") or {}).items() if key not in ITS_OWN}
    known: Json = without_drawn(without_empty(without_ours(spec)))
    return known


def words_of(body: Json, field: str) -> dict[str, str]:
    """Give the labels, or the annotations, of a pod or of a template."""
    words: dict[str, str] = (body.get("metadata") or {}).get(field) or {}
    return words


async def origin(desired: Desired, template: Json, writer: Writer) -> Origin:
    """Ask what a template makes; where no pod may be made now, say for a quota, all that it may have beyond it counts.

    Where the template itself may not be asked about, for a right is missing, such a pod says what it means.

    Raises:
        Refused: the API server has failed, or has too much to do.
        Unreachable: it does not answer.
    """
    known, sample = await asyncio.gather(
        unless_refused(defaulted(writer, template)), unless_refused(sample_of(desired, template, writer))
    )
    return Origin(known["template"] if known else template | {"spec": spec_of(sample or template)}, sample)


async def unless_refused(question: Awaitable[Json]) -> Json | None:
    """Give the answer; None if it is a no.

    Raises:
        Refused: the API server has failed, or has too much to do.
        Unreachable: it does not answer.
    """
    try:
        return await question
    except Refused as refusal:
        if not refusal.is_verdict:
            raise
        return None


def fits(pod: Any, template: Any, sample: Any) -> bool:
    """Tell whether a pod has all that a template says, and beyond it only what a sample has too.

    Where admission has changed what the template says, the pod may have what the sample has.

    Args:
        pod: a value in the pod.
        template: the same in the template.
        sample: the same in the sample; None where there is no sample, and all may be beyond, but nothing changed.
    """
    if isinstance(template, list) and isinstance(pod, list):
        pod, template = by_name(pod), by_name(template)
        sample = by_name(sample) if isinstance(sample, list) else sample
    if not (isinstance(template, dict) and isinstance(pod, dict)):
        return bool(pod == template) or (sample is not None and bool(pod == sample))
    if sample is None:
        return all(key in pod and fits(pod[key], each, None) for key, each in template.items())
    would = sample if isinstance(sample, dict) else {}
    return all(key in would for key in pod.keys() - template.keys()) and all(
        fits(pod[key], each, would.get(key, each)) if key in pod else key not in would for key, each in template.items()
    )


def by_name(items: list[Any]) -> Mapping[str, Any]:
    """Give the items of a list by what tells them apart, a name or all of it, and by a number where nothing does."""
    seen, named = Counter[str](), dict[str, Any]()
    for each in items:
        name = name_of(each)
        named[f"{name} {seen[name]}"] = each
        seen[name] += 1
    return named


def name_of(item: Any) -> str:
    """Tell an item of a list from others."""
    if isinstance(item, dict):
        for field in NAMES:
            if field in item:
                return f"{field}={item[field]}"
    return repr(sorted(item.items(), key=repr)) if isinstance(item, dict) else repr(item)


def without_drawn(value: Any) -> Any:
    """Give what is another word in each pod or revision always the same one.

    That is the volume of a service account's token, whose name is drawn by lot, and the template's hash where
    `matchLabelKeys` have had the API server write it into a selector.
    """
    if isinstance(value, dict):
        if value.get("key") == LABEL_TEMPLATE_HASH:
            value = {**value, "values": []}
        return {key: without_drawn(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_drawn(each) for each in value]
    return ACCESS if isinstance(value, str) and value.startswith(ACCESS) else value
