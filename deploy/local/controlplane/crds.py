"""Custom resources that are there from the beginning, so that every controller knows them when it starts."""

from pathlib import Path

import yaml

from controlplane.api import Api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def install(api: Api, file: Path) -> str:
    """Create the CRD in the file; give the path that answers once its newest version is served."""
    definition = yaml.safe_load(file.read_text())
    api.post(DEFINITIONS, definition)
    spec = definition["spec"]
    return f"/apis/{spec['group']}/{spec['versions'][-1]['name']}/{spec['names']['plural']}"
