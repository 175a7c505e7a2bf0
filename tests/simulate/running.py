"""Many simulations, each in a process of its own, and what is told of them."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import sys
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from simulate.broken import VARIANTS
from simulate.simulation import Report, Simulation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.pool import AsyncResult, Pool

FORK = multiprocessing.get_context("fork")


def run_all(options: argparse.Namespace) -> int:
    """Run all seeds that are asked for; tell of each failure, and of the whole at the end; 1 if there was one."""
    began, reports = time.perf_counter(), []
    for report in reports_of(options, began):
        reports.append(report)
        if options.digests:
            say(f"seed {report.seed}: {report.digest} {report.seconds:.0f} s {report.violation or 'well'}")
        if report.violation:
            say(failure(report, options))
            if not options.all:
                break
    say(account(reports, time.perf_counter() - began))
    return int(any(report.violation for report in reports))


def reports_of(options: argparse.Namespace, began: float) -> Iterator[Report]:
    """Run the seeds, in order, some at once."""
    until = began + options.hours * 3600
    last = options.seed + options.seeds
    seeds = itertools.takewhile(lambda seed: seed < last or time.perf_counter() < until, itertools.count(options.seed))
    work = partial(run_one, broken=options.broken, only=frozenset(options.trouble))
    gc.collect()
    gc.freeze()  # the children share it
    with FORK.Pool(options.at_once, maxtasksperchild=1) as pool:
        yield from handed_out(pool, work, seeds, options.at_once)


def handed_out(pool: Pool, work: Callable[[int], Report], seeds: Iterable[int], at_once: int) -> Iterator[Report]:
    """Hand seeds out as they are worked on: of an iterable that ends with the time the pool would take all at once."""
    waiting: deque[AsyncResult[Report]] = deque()
    for seed in seeds:
        waiting.append(pool.apply_async(work, (seed,)))
        if len(waiting) > at_once:
            yield waiting.popleft().get()
    for one in waiting:
        yield one.get()


def run_one(seed: int, broken: str, only: frozenset[str]) -> Report:
    """Run one simulation in this process, which must not have run any before."""
    if broken:
        VARIANTS[broken]()
    report = Simulation(seed, only).run()
    if not report.violation:
        report.story = []
    return report


def failure(report: Report, options: argparse.Namespace) -> str:
    """Tell of a failure, and how to see it again."""
    again = f"PYTHONPATH=tests .venv/bin/python -m simulate --seed={report.seed}"
    again += "".join(f" --trouble={kind}" for kind in options.trouble) + f" --broken={options.broken}" * bool(
        options.broken
    )
    story = report.story[-options.story :] if options.story else []
    left_out = len(report.story) - len(story)
    head = [f"... {left_out} lines before these: --story=0 leaves all out, --story=99999 none"] * bool(left_out)
    return "\n".join([f"\nseed {report.seed}: {report.violation}", *head, *story, f"again: {again}"])


def account(reports: list[Report], seconds: float) -> str:
    """Sum up what was run."""
    hours, cpu = sum(report.seconds for report in reports) / 3600, sum(report.cpu for report in reports)
    steady = sorted(took for report in reports for took in report.steady) or [0.0]
    failed = sum(bool(report.violation) for report in reports)
    return (
        f"{len(reports)} simulations, {failed} failed: {hours:.2f} cluster-hours in {seconds:.0f} s, "
        f"{hours / seconds * 3600:.0f} an hour ({hours / cpu * 3600:.0f} an hour of one processor). All was well "
        f"{steady[len(steady) // 2]:.1f} s after the last trouble (median; at most {steady[-1]:.1f} s), after "
        f"{sum(report.looks for report in reports)} looks and {sum(report.requests for report in reports)} requests."
    )


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
