"""What is shown when the demo fails: a sentence, the end of the operator's log, and what kubectl sees."""

import json
from collections import deque

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from demo.screen import Screen
from demo.stage import Stage
from demo.trouble import Trouble

LOG_LINES = 20


def sentence(failure: Exception) -> str:
    """Say what failed and what to do, in a sentence."""
    if isinstance(failure, ApiException):
        return f"The API server refused a request of the demo ({failure.status}): {_words(failure)}"
    if isinstance(failure, HTTPError):
        return (
            f"The API server does not answer: {failure}. Check that the cluster of KUBECONFIG runs, "
            "or take another: make demo CLUSTER=local"
        )
    return str(failure)


def _words(refusal: ApiException) -> str:
    """Take the server's own words out of its answer."""
    try:
        return str(json.loads(refusal.body or "")["message"])
    except (ValueError, TypeError, KeyError):
        return str(refusal.reason)


def report(here: Stage, screen: Screen) -> None:
    """Show the end of the operator's log, the group and its pods, and what they complain of."""
    screen.say(f"\nThe operator's last {LOG_LINES} lines:", style="bold")
    with here.log.open(errors="replace") as lines:
        for line in deque(lines, maxlen=LOG_LINES):
            screen.verbatim(f"  {line.rstrip()}")
    for command in ("get pgrp,pods", "events --types=Warning"):
        screen.say(f"\nkubectl -n {here.namespace} {command}", style="bold")
        screen.verbatim(_kubectl(here, *command.split()).rstrip())


def _kubectl(here: Stage, *arguments: str) -> str:
    try:
        answer = here.kubectl(*arguments)
    except Trouble as trouble:
        return f"({trouble})"
    return answer.stdout + answer.stderr
