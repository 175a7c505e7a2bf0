"""The small image that tests run as pods: `images/busybox/Dockerfile` says what it does."""

from kindnode.debian import IMAGES, debian
from kindnode.engine import Engine

NAME = "docker.io/library/podgroup-busybox:1"


def build_busybox_image(engine: Engine) -> str:
    """Build the image, if the engine does not have it, and return its name."""
    if not engine.has_image(NAME):
        engine.build(IMAGES / "busybox", NAME, {"BASE_IMAGE": debian(engine)})
    return NAME
