"""What is told last: replacements that the status of their group does not show yet, for nobody else knows of them."""

import asyncio
import logging
from typing import Any

from podgroup_operator.api.refusals import NotLeading, Refused, Unreachable
from podgroup_operator.api.wire.status import write_healing
from podgroup_operator.api.writer import Writes
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.observe.memory import Memories, Memory
from podgroup_operator.tell.report import write_status

Json = dict[str, Any]

logger = logging.getLogger(__name__)


async def tell_last(groups: GroupStore, memories: Memories, writes: Writes) -> None:
    """Let statuses show all replacements; one that cannot be written now never will be."""
    known = ((groups.named(uid), memory) for (_, uid), memory in memories)
    bodies = [(group, untold(group, memory)) for group, memory in known if group]
    await asyncio.gather(*(tell(group, body, groups, writes) for group, body in bodies if body))


def untold(group: Group, memory: Memory) -> Json:
    """Give what the status of a group is to show of its replacements; nothing if it does."""
    healing = memory.healing(group.told.healing)
    return {} if healing is group.told.healing else {"healing": write_healing(healing, ())}


async def tell(group: Group, status: Json, groups: GroupStore, writes: Writes) -> None:
    """Write a part of a status."""
    try:
        await write_status(group, status, writes.writer(*group.key, last=True), groups)
    except NotLeading:
        logger.warning("group=%s/%s its last replacements are not told: another one may lead", *group.key)
    except (Refused, Unreachable) as error:
        logger.warning("group=%s/%s its last replacements cannot be told: %s", *group.key, error)
