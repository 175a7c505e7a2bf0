"""Likeness: whether two templates mean the same to the API server.

One may leave out what another spells out, and call half a core 500m. Only a server can tell, and it does in a dry run
of a PodTemplate, which it defaults as it does a pod, and shows to no admission of pods. Both are asked about anew each
time: a server of another version has other defaults, and what was defaulted once is no match for what is now.

Behind one address there may be servers of two versions, and who answers is chance. So what differs is asked about
again, and two templates are the same if any server has made the same of both.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from podgroup_operator.api.cluster import object_path
from podgroup_operator.api.refusals import Refused
from podgroup_operator.api.wire.revision import meaning_of
from podgroup_operator.api.writer import Writer

Json = dict[str, Any]

CONTAINERS = ("containers", "initContainers")
EMPTY_IN_SPEC = frozenset({"affinity", "dnsConfig", "securityContext"})
EMPTY_IN_CONTAINER = frozenset({"lifecycle", "resources", "securityContext"})

ROUNDS = 3
"""How often two templates that differ are asked about. Of two servers at random that nearly always finds a pair."""


async def first_alike(writer: Writer, template: Json, others: Sequence[Json]) -> int | None:
    """Give the place of the first of some templates that means the same as this one; None if none does.

    Raises:
        Refused: the API server fails, or has too much to do; another no is an answer, for it takes one of them only.
        Unreachable: it does not answer.
    """
    meanings, of_others = set[str](), [set[str]() for _ in others]
    for _ in range(ROUNDS if others else 0):
        meaning, *found = await asyncio.gather(*(read_by_server(writer, each) for each in (template, *others)))
        if not meaning:
            return None
        meanings.add(meaning)
        for known, each in zip(of_others, found, strict=True):
            known.add(each)
        alike = (place for place, known in enumerate(of_others) if known & meanings)
        if (place := next(alike, None)) is not None:
            return place
    return None


async def read_by_server(writer: Writer, template: Json) -> str:
    """Give the hash of what the API server makes of a template; "" if it takes none such."""
    try:
        body = await defaulted(writer, template)
    except Refused as refusal:
        if not refusal.is_verdict:
            raise
        return ""
    template = body["template"]
    return meaning_of(template | {"spec": without_empty(template.get("spec") or {})})


def without_empty(spec: Json) -> Json:
    """Leave out of a pod's spec what is empty and says no more than if it were not there.

    The server keeps it as it was written; elsewhere an empty object may mean something, as a selector of all does.
    """
    known = {key: value for key, value in spec.items() if value or key not in EMPTY_IN_SPEC}
    for field in CONTAINERS:
        if field in known:
            known[field] = [
                {key: value for key, value in each.items() if value or key not in EMPTY_IN_CONTAINER}
                for each in known[field]
            ]
    return known


async def defaulted(writer: Writer, template: Json) -> Json:
    """Have the API server write out its defaults in a template; nothing is stored."""
    return await writer.create(
        object_path("/api/v1", "podtemplates", writer.namespace, ""),
        {
            "apiVersion": "v1",
            "kind": "PodTemplate",
            "metadata": {"generateName": f"{writer.group}-"},
            "template": template,
        },
        {"dryRun": "All"},
    )
