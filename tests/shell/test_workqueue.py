"""The queue of groups: each waits once, none is worked on twice at a time, and a delay is a latest time."""

import asyncio

from podgroup_operator import metrics
from podgroup_operator.workqueue import Key, WorkQueue

A, B = ("shop", "a"), ("shop", "b")
SOON = 0.01  # seconds
NEVER = 3600.0
DEADLINE = 2.0


async def take(queue: WorkQueue) -> Key:
    """Take a key, or fail."""
    return await asyncio.wait_for(queue.get(), DEADLINE)


async def test_keys_come_in_the_order_in_which_they_were_added_and_each_once() -> None:
    """A key that waits is not queued a second time."""
    queue = WorkQueue()
    for key in (B, A, B, A):
        queue.add(key)
    assert len(queue) == 2
    assert [await take(queue), await take(queue)] == [B, A]
    assert len(queue) == 0


async def test_a_key_that_is_worked_on_comes_back_only_when_it_is_done() -> None:
    """However often it is added meanwhile, it waits once, and not before its worker is done with it."""
    queue = WorkQueue()
    queue.add(A)
    await take(queue)
    queue.add(A)
    queue.add(A)
    assert len(queue) == 0
    queue.done(A)
    assert len(queue) == 1
    assert await take(queue) == A


async def test_a_key_that_is_done_and_was_not_added_is_gone() -> None:
    """And it can be added again."""
    queue = WorkQueue()
    queue.add(A)
    queue.done(await take(queue))
    assert len(queue) == 0
    queue.add(A)
    assert await take(queue) == A


async def test_a_waiting_worker_is_woken_for_each_key() -> None:
    """Two that wait get one key each."""
    queue = WorkQueue()
    workers = [asyncio.create_task(take(queue)) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(B)
    assert [await worker for worker in workers] == [A, B]


async def test_a_worker_that_gave_up_takes_no_wake_up_with_it() -> None:
    """The next one that waits gets the key."""
    queue = WorkQueue()
    impatient, patient = (asyncio.create_task(take(queue)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    queue.add(A)
    assert await patient == A


async def test_of_several_delays_the_earliest_counts() -> None:
    """A later one neither replaces it nor comes on top of it."""
    queue = WorkQueue()
    queue.add_after(A, NEVER)
    queue.add_after(A, SOON)
    queue.add_after(A, NEVER)
    queue.done(await take(queue))
    queue.add_after(B, SOON)
    assert await take(queue) == B
    assert len(queue) == 0


async def test_a_delay_can_be_asked_for_again_when_it_is_over() -> None:
    """And it does not queue a key that waits already."""
    queue = WorkQueue()
    queue.add_after(A, 0)
    queue.add(A)
    queue.add_after(B, SOON)
    assert [await take(queue), await take(queue)] == [A, B]
    queue.done(A)
    queue.add_after(A, 0)
    assert await take(queue) == A


def sample(name: str) -> float:
    """Give a value of the queue as controller-runtime names it."""
    return metrics.registry.get_sample_value(name, {"name": "podgroup", "controller": "podgroup"}) or 0.0


async def test_what_waits_and_what_is_worked_on_is_measured() -> None:
    """By the names of client-go: adds, how long each waited, how long the work took, and what is not finished."""
    queue, names = WorkQueue(), ("adds_total", "queue_duration_seconds_count", "work_duration_seconds_count")
    before = [sample(f"workqueue_{name}") for name in names]
    queue.add(A)
    queue.add(A)
    await take(queue)
    now = asyncio.get_running_loop().time()
    assert queue.unfinished(now + 5)[0] >= 5
    queue.done(A)
    assert queue.unfinished(now) == []
    assert [sample(f"workqueue_{name}") - value for name, value in zip(names, before, strict=True)] == [1, 1, 1]
