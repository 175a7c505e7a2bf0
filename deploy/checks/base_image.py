"""Is what the image is built on named by its digest, so that the same commit gives the same image tomorrow?"""

import re
from pathlib import Path

BASE = re.compile(r"^ARG BASE_IMAGE=(\S+)$", re.MULTILINE)
PINNED = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")
"""A tag, for people, and a digest, which alone counts."""


def movable(dockerfile: Path) -> list[str]:
    """Return a sentence for each default of BASE_IMAGE that is a mere tag, and one if there is no default at all."""
    bases = BASE.findall(dockerfile.read_text())
    if not bases:
        return [f"{dockerfile}: BASE_IMAGE has no default: write ARG BASE_IMAGE=<image>:<tag>@sha256:<digest>"]
    return [
        f"{dockerfile}: {base} may be another image tomorrow: add @sha256:<digest>, which"
        f" `docker buildx imagetools inspect {base}` tells"
        for base in bases
        if not PINNED.fullmatch(base)
    ]
