"""`make demo CLUSTER=kind`: the story in real containers, on a cluster of its own that leaves no trace."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.demo_process import NAMESPACE, ROW, operators, read_until, start

if TYPE_CHECKING:
    from kindnode.engine import Engine

KIND = {"CLUSTER": "kind", "PODGROUP_DEMO_PACE": "0"}
RESTARTED = re.compile(r"✓ ready again (?:\d+ ms|[\d.]+ s) after `kubectl exec` began: its kubelet restarted it")


def assert_no_trace(engine: Engine, process: int, output: str) -> None:
    """Of the cluster of that demo there is no container, and no kubeconfig."""
    mine = f"label=io.x-k8s.kind.cluster=demo-{process}"
    assert engine.ask("ps", "--all", "--quiet", f"--filter={mine}") == "", output
    for folder in re.findall(r"KUBECONFIG=(/\S+)/kubeconfig", output):
        assert not Path(folder).exists()


def test_a_killed_process_is_left_to_the_kubelet(engine: Engine) -> None:
    """Pods are replaced; a pod whose process dies is restarted instead, as the same pod, and HEALED stays."""
    demo = start(KIND)
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert [row[0] for row in ROW.findall(output)] == ["1", "0", "1", "2"]
    step = output[output.index("4. Kill a process inside a pod") : output.index("5. Scale to five")]
    assert RESTARTED.search(step), step
    assert "restarts 0 -> 1" in step
    assert "HEALED is 4, as before: nobody was replaced" in step
    assert step.count(" is restarted in its place by the kubelet\n") == 1
    assert re.search(r"is created|is told to end|is gone|is adopted", step) is None
    assert "4 pods killed, 4 healed" in output
    namespace = NAMESPACE.search(output)
    assert namespace
    assert operators(namespace[0]) == []
    assert_no_trace(engine, demo.pid, output)


def test_an_interrupted_creation_leaves_no_trace(engine: Engine) -> None:
    """Ctrl-C while kind makes the cluster: the demo ends with a shell's code for it, and all is taken down."""
    demo = start(KIND)
    begun = read_until(demo, "Preparing nodes")
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate()
    assert demo.returncode == 128 + signal.SIGINT, begun + rest
    assert_no_trace(engine, demo.pid, begun + rest)
