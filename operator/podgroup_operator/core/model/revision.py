"""A revision: a template as it was written once, kept so that pods can be made of it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Revision:
    """An apps/v1 ControllerRevision of a PodGroup.

    Attributes:
        version: its resourceVersion.
        owner: the UID of the PodGroup.
        hash: what the pods made of it bear as their label.
        number: the highest is the newest; one that is gone back to becomes it again.
        meaning: a whole hash of the template, the same for all that differ in nothing but their writing.
        text: the template, as JSON; thousands of groups keep theirs, and hardly ever is one read.
    """

    namespace: str
    name: str
    uid: str
    version: int
    owner: str
    hash: str
    number: int
    meaning: str
    text: bytes
