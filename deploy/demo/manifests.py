"""The objects of the story: a PodGroup called `web`, and a bare pod that joins it.

There are two sets, which differ in their containers. `pause` is an image that every kubelet has, so nothing has to be
pulled, but there is nothing in it to kill. On kind the demo's own image is loaded: a small web server, asked every
second whether it is alive, under a shell that ends when it ends.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from demo.api import Json, read_manifest

ROOT = Path(__file__).resolve().parents[2]

NAME = "web"
LABELS = {"app": "web"}
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
NEWCOMER = "newcomer"


@dataclass(frozen=True)
class Manifests:
    """A set of both.

    Attributes:
        group_file: the PodGroup's file, as a person at the root of the project names it.
        newcomer_file: the bare pod's file, likewise.
        process: what runs in each container and can be killed there with `killall`; "" if nothing can.
    """

    group_file: str
    newcomer_file: str
    process: str = ""

    @cached_property
    def group(self) -> Json:
        """The PodGroup."""
        return read_manifest(ROOT / self.group_file)

    @cached_property
    def newcomer(self) -> Json:
        """The bare pod."""
        return read_manifest(ROOT / self.newcomer_file)


ANYWHERE = Manifests("deploy/demo/web.yaml", "deploy/demo/newcomer.yaml")
ON_KIND = Manifests("deploy/demo/web-on-kind.yaml", "deploy/demo/newcomer-on-kind.yaml", process="httpd")
