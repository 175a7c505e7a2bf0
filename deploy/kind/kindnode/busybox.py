"""The small image that tests run as pods: `images/busybox/Dockerfile` says what it does."""

from kindnode.debian import IMAGES, debian
from kindnode.engine import Engine

NAME = "docker.io/library/podgroup-busybox:1"

DEBIAN = "docker.io/library/debian:bookworm-slim"
"""What the Dockerfile starts from; where it cannot be pulled, ours."""


def build_busybox_image(engine: Engine) -> str:
    """Build the image, if the engine does not have it, and return its name."""
    if not engine.has_image(NAME):
        official = engine.has_image(DEBIAN) or engine.ask("pull", DEBIAN) is not None
        engine.build(IMAGES / "busybox", NAME, {"BASE_IMAGE": DEBIAN if official else debian(engine)})
    return NAME


EXAMPLES = "docker.io/library/busybox:1.37"
"""What the examples and the README run."""


def examples_image(engine: Engine) -> str:
    """Return the name of the image that the examples run: the real one, or ours where that cannot be pulled."""
    if engine.ask("pull", EXAMPLES) is None:
        engine.do("tag", build_busybox_image(engine), EXAMPLES)
    return EXAMPLES
