"""How much room reading takes: a process that fills its cache needs little more than what it keeps."""

import asyncio
import sys
from pathlib import Path

import pytest

from fakeapi import FakeApi
from fakeapi.client import a_pod

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import asyncio, sys, time
from pathlib import Path
from shell.informed import Informed
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.login import Connection

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) >> 10

async def main(url, pods):
    longest = 0.0
    async with Cluster(Connection(url, None, lambda: "")) as cluster:
        before, informed = peak(), Informed(None, cluster)
        task = asyncio.create_task(informed.informer.run())
        while not (len(informed.store) == pods and informed.informer.synced.is_set()):
            then = time.process_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.process_time() - then)
        print(before, peak(), round(longest * 1000))
        task.cancel()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def filled(api: FakeApi, pods: int) -> tuple[int, int, int]:
    """Fill a cache in a process of its own; give its MiB before and at most, and its longest turn in ms of CPU."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT, api.url, str(pods)),
        env={"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'tests'}"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    before, peak, pause = map(int, output.split())
    return before, peak, pause


@pytest.mark.parametrize(("pods", "size"), [(60, 600_000), (2000, 5000)], ids=["few large ones", "many small ones"])
async def test_a_first_list_needs_little_room(api: FakeApi, pods: int, size: int) -> None:
    """Of pods with 36 MB in all it is at no time more than a page of text and what is made of it: the rest is gone."""
    variables = [{"name": f"VARIABLE_{number}", "value": "v" * 40} for number in range(size // 70)]
    for number in range(pods):
        pod = a_pod(f"pod-{number}")
        pod["spec"]["containers"][0]["env"] = variables
        api.create("pods", pod)
    before, peak, pause = await filled(api, pods)
    print(f"{before} MiB before, {peak} MiB at most, {pause} ms")  # noqa: T201 - shown where it fails
    assert peak - before < 30
