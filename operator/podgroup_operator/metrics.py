"""What the operator counts, for /metrics.

Names are those of Kubernetes' own controllers where these have one, else start with podgroup_. No object's
name is ever a label (kubernetes/community, metric-instrumentation.md).
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from podgroup_operator import __version__

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)

registry = CollectorRegistry()
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)

build_info = Gauge("podgroup_build_info", "1, labelled with the version.", ["version"], registry=registry)
build_info.labels(__version__).set(1)
reconciles = Counter("podgroup_reconcile_total", "Looks at a group, by result.", ["result"], registry=registry)
reconcile_seconds = Histogram(
    "podgroup_reconcile_duration_seconds", "Time of one look.", buckets=SECONDS, registry=registry
)
heal_seconds = Histogram(
    "podgroup_heal_latency_seconds",
    "From the news that a pod is lost to the API server's confirmation of its replacement.",
    ["cause"],
    buckets=SECONDS,
    registry=registry,
)
recovery_seconds = Histogram(
    "podgroup_recovery_seconds",
    "From the first sign of a loss until its replacement is Ready, by the stages that add up to that.",
    ["cause", "stage"],
    buckets=(*SECONDS, 120, 300, 600),
    registry=registry,
)
heals = Counter("podgroup_heals_total", "Replacements made, by cause.", ["cause"], registry=registry)
suppressed = Counter(
    "podgroup_heal_suppressed_total",
    "Times that replacements were held back, by reason.",
    ["reason"],
    registry=registry,
)
creates = Counter("podgroup_pod_creates_total", "Pods created.", registry=registry)
deletes = Counter("podgroup_pod_deletes_total", "Pods deleted because there were too many.", registry=registry)
failures = Counter("podgroup_failures_total", "Refused creates and deletes.", ["reason"], registry=registry)
stale_skips = Counter(
    "podgroup_stale_sync_skips_total", "Looks put off until the cache shows our own writes.", registry=registry
)
unreadable = Counter(
    "podgroup_unreadable_total",
    "Fields and objects that could not be read, by the object's kind, each time they were met.",
    ["kind"],
    registry=registry,
)
status_writes = Counter("podgroup_status_writes_total", "Status patches sent.", registry=registry)
groups = Gauge("podgroup_groups", "PodGroups known.", registry=registry)
pods = Gauge("podgroup_cached_pods", "Pods kept in the cache.", registry=registry)
watch_age = Gauge(
    "podgroup_watch_age_seconds",
    "How long ago a watch last asked for something, by what it is of; 0 where it waits by right.",
    ["watch"],
    registry=registry,
)
loop_lag = Histogram(
    "podgroup_event_loop_lag_seconds",
    "How much later than asked for the event loop wakes somebody, sampled each second.",
    buckets=SECONDS,
    registry=registry,
)

# What follows has the names, labels and meaning of client-go and controller-runtime, whose dashboards and alerts fit.
QUEUE = {"name": "podgroup", "controller": "podgroup"}
SHORT = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000)
queue_depth = Gauge("workqueue_depth", "PodGroups waiting for a look.", [*QUEUE], registry=registry).labels(**QUEUE)
queue_adds = Counter("workqueue_adds", "PodGroups that began to wait.", [*QUEUE], registry=registry).labels(**QUEUE)
queue_retries = Counter("workqueue_retries", "Looks repeated after an error.", [*QUEUE], registry=registry).labels(
    **QUEUE
)
queue_seconds = Histogram(
    "workqueue_queue_duration_seconds", "How long they waited.", [*QUEUE], buckets=SHORT, registry=registry
).labels(**QUEUE)
work_seconds = Histogram(
    "workqueue_work_duration_seconds", "How long a look took.", [*QUEUE], buckets=SHORT, registry=registry
).labels(**QUEUE)
unfinished_seconds = Gauge(
    "workqueue_unfinished_work_seconds", "How long all looks under way have taken so far.", [*QUEUE], registry=registry
).labels(**QUEUE)
longest_seconds = Gauge(
    "workqueue_longest_running_processor_seconds", "How long the longest of them has.", [*QUEUE], registry=registry
).labels(**QUEUE)
requests = Counter("rest_client_requests", "Requests to the API server.", ["code", "method", "host"], registry=registry)
request_seconds = Histogram(
    "rest_client_request_duration_seconds", "How long their answers took.", ["verb", "host"], registry=registry
)


@cache  # to find the labels costs more than to count
def requests_of(code: str, method: str, host: str) -> Counter:
    """Give the counter of the requests of a kind that were answered so; "<error>" is no answer."""
    return requests.labels(code, method, host)


@cache
def request_seconds_of(verb: str, host: str) -> Histogram:
    """Give the histogram of the requests of a kind."""
    return request_seconds.labels(verb, host)


leading = Gauge("leader_election_master_status", "1 while this operator may act.", ["name"], registry=registry).labels(
    "podgroup-operator"
)
