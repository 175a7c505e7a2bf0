"""Writes argocd-cm.yaml, the keys of Argo CD's ConfigMap with the health check and the actions of a PodGroup.

The Lua is in resource_customizations/, laid out as in Argo CD's own repository. `make argocd` runs it, after a change
there; a test runs it too, and compares.
"""

from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "resource_customizations" / "selfheal.dev" / "PodGroup"
CONFIG_MAP = HERE / "argocd-cm.yaml"

HEADER = """\
# Written by `make argocd` from resource_customizations/: edit that, not this file.
#   kubectl patch configmap argocd-cm --namespace=argocd --patch-file=deploy/argocd/argocd-cm.yaml
"""


class _Text(yaml.SafeDumper):
    """Writes texts of several lines as they are read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Text.add_representer(str, _text)


def _dump(content: object) -> str:
    return yaml.dump(content, Dumper=_Text, sort_keys=False, width=120)


def actions() -> list[str]:
    """Return the names of the actions."""
    return sorted(path.parent.name for path in SCRIPTS.glob("actions/*/action.lua"))


def _script(*path: str) -> str:
    return SCRIPTS.joinpath(*path).read_text()


def render() -> str:
    """Return the content of argocd-cm.yaml."""
    definitions = [{"name": name, "action.lua": _script("actions", name, "action.lua")} for name in actions()]
    scripts = {"discovery.lua": _script("actions", "discovery.lua"), "definitions": definitions}
    data = {
        "resource.customizations.health.selfheal.dev_PodGroup": _script("health.lua"),
        "resource.customizations.actions.selfheal.dev_PodGroup": _dump(scripts),
    }
    return HEADER + _dump({"data": data})


if __name__ == "__main__":
    CONFIG_MAP.write_text(render())
