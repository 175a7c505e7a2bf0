"""What a PodGroup asks for."""

from typing import Any

from podgroup_operator.api import oddities
from podgroup_operator.api.fields import Fields
from podgroup_operator.api.wire.healing import read_healing, tolerated_seconds
from podgroup_operator.api.wire.revision import meaning_of, template_hash
from podgroup_operator.api.wire.strategy import read_rollout_wishes
from podgroup_operator.core import names
from podgroup_operator.core.model.desired import Desired, PodReplacement
from podgroup_operator.core.selector import Operator, Requirement, Selector

Json = dict[str, Any]

OPERATORS = {operator.value: operator for operator in Operator}
SPREAD, NOT_SPREAD = "Default", "None"
REPLACEMENTS = {policy.value: policy for policy in PodReplacement}


def read_desired(body: Json) -> Desired:
    """Read what a PodGroup asks for, defaults filled in.

    What it asks for and cannot be read is named in `unreadable`: no default is a safe guess of what a person has meant.

    Raises:
        ValueError: nobody can tell which PodGroup it is.
    """
    fields = Fields(body)
    metadata, spec = fields.map("metadata"), fields.map("spec")
    namespace, name, uid = (metadata.text(key) for key in ("namespace", "name", "uid"))
    if not (namespace and name and uid):
        raise ValueError("a PodGroup without a namespace, a name or a UID")
    if spec.raw("template") is None:
        spec.note("template")
    healing = spec.map("healing")
    backoff = healing.map("backoff")
    template = spec.map("template")
    own_label = {names.LABEL_PODGROUP: name}
    wanted: dict[str, Any] = {
        "replicas": spec.number("replicas", 1, least=0),
        "selector": read_selector(spec.map("selector")) if spec.raw("selector") else Selector(tuple(own_label.items())),
        "template_labels": template.map("metadata").texts("labels") | own_label,
        "revision": template_hash(spec.raw("template")),
        "meaning": meaning_of(spec.raw("template")),
        "spread": read_spread(spec),
        "min_ready_seconds": spec.number("minReadySeconds", least=0),
        "pod_replacement": read_replacement(spec),
        "failed_pods_history_limit": healing.number("failedPodsHistoryLimit", 1, least=0),
        "backoff_initial_seconds": backoff.number("initialSeconds", 1, least=0),
        "backoff_max_seconds": backoff.number("maxSeconds", 300, least=0),
        "healing": read_healing(healing),
        "tolerated_seconds": tolerated_seconds(template.map("spec")),
        **read_rollout_wishes(spec),
    }
    unreadable = ", ".join(path for path in fields.odd if path.startswith("spec"))
    generation, deleting = metadata.number("generation"), bool(metadata.raw("deletionTimestamp"))
    if fields.odd:
        oddities.note(names.KIND, f"{namespace}/{name}", fields.odd)
    return Desired(namespace, name, uid, generation, deleting=deleting, unreadable=unreadable, **wanted)


def read_spread(spec: Fields) -> bool:
    """Read whether new pods get the scheduler's own constraints."""
    word = spec.text("spread") or NOT_SPREAD
    if word not in (SPREAD, NOT_SPREAD):
        spec.note("spread")
    return word == SPREAD


def read_replacement(spec: Fields) -> PodReplacement:
    """Read when a pod that is being deleted may be replaced."""
    policy = spec.text("podReplacementPolicy")
    if policy and policy not in REPLACEMENTS:
        spec.note("podReplacementPolicy")
    return REPLACEMENTS.get(policy, PodReplacement.TERMINATION_STARTED)


def read_selector(selector: Fields) -> Selector:
    """Read a LabelSelector."""
    requirements = []
    for each in selector.maps("matchExpressions"):
        operator = OPERATORS.get(each.text("operator"))
        if operator and each.text("key"):
            requirements.append(Requirement(each.text("key"), operator, frozenset(each.words("values"))))
        else:
            each.note("operator")
    return Selector(tuple(sorted(selector.texts("matchLabels").items())), tuple(requirements))
