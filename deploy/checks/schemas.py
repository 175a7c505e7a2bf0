"""Strict JSON schemas, such as kubeconform takes, of Kubernetes' own kinds and of ours.

Kubernetes' come from the OpenAPI document in the source of the very version that is built here, PodGroup's from its
CRD. Strict means that a field which the schema does not name is an error. Patterns of the API server's own, such as
what a name may look like, are in neither; only the server knows them.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from controlplane.module_source import module_source
from controlplane.programs import KUBECTL, cache, kubernetes_version

Schema = dict[str, Any]

LOCATION = "{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json"
"""Where kubeconform finds the schema of a kind; for the core group, which has no name, it says v1 twice."""

KEPT = ("type", "required", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
"""What a schema demands of a value beside its fields."""

NUMBER_OR_TEXT = {"type": ["number", "string"]}

BY_NAME = {"io.k8s.apimachinery.pkg.api.resource.Quantity": NUMBER_OR_TEXT}
"""What the OpenAPI document calls a string although the API server takes a number as well."""

METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def strict(schema: Schema) -> Schema:
    """Return a schema that refuses each field it does not name, without what is only there to be read."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return NUMBER_OR_TEXT
    closed = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in schema:
        closed["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        closed["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            closed[inner] = strict(schema[inner])
    return closed


def kubernetes_schemas() -> Path:
    """Return the folder that has the schemas of Kubernetes' kinds; it is made once for each version.

    Raises:
        ControlPlaneError: Kubernetes' source cannot be had.
    """
    made_of = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = cache() / "schemas" / f"{kubernetes_version()}-{made_of}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
    try:
        _write_kubernetes_schemas(unfinished, folder)
        unfinished.rename(folder)
    except OSError:
        # Another was quicker: what it made is the same.
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _write_kubernetes_schemas(folder: Path, final_folder: Path) -> None:
    document = openapi_document()
    definitions = {name: BY_NAME.get(name) or strict(each) for name, each in document["definitions"].items()}
    (folder / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, definition in document["definitions"].items():
        kinds = definition.get("x-kubernetes-group-version-kind", [])
        if len(kinds) == 1:  # those of many, such as DeleteOptions, are not written as manifests
            _write(folder, kinds[0], {"$ref": _definition(final_folder, name)})


def openapi_document() -> Schema:
    """Return the OpenAPI document (version 2) of the very version of Kubernetes that is built.

    Raises:
        ControlPlaneError: Kubernetes' source cannot be had.
    """
    source = module_source(KUBECTL, "k8s.io/kubernetes")
    document: Schema = json.loads((source / "api/openapi-spec/swagger.json").read_text())
    return document


def crd_schemas(crd_file: Path, folder: Path, kubernetes: Path) -> None:
    """Write the schemas of a CRD's versions into a folder; those of Kubernetes are needed for metadata."""
    spec = yaml.safe_load(crd_file.read_text())["spec"]
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"$ref": _definition(kubernetes, METADATA)}
        kind = {"group": spec["group"], "version": version["name"], "kind": spec["names"]["kind"]}
        _write(folder, kind, schema)


def _definition(folder: Path, name: str) -> str:
    return f"{(folder / 'definitions.json').as_uri()}#/definitions/{name}"


def _write(folder: Path, kind: dict[str, str], schema: Schema) -> None:
    path = folder / (kind["group"] or kind["version"]) / kind["version"] / f"{kind['kind'].lower()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))
