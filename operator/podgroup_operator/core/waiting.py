"""What the pods of a group wait for, the commonest first, in a sentence that anybody may read."""

from collections import Counter

from podgroup_operator.core.view import View

MOST = 3
"""So many different things are told."""


def waiting_in_words(view: View) -> str:
    """Say what those pods wait for that are not Ready; "" if nothing is known."""
    found = Counter(
        pod.signs.waits_for.rstrip(".")
        for pod in view.active
        if pod.ready_since is None and pod.signs and pod.signs.waits_for
    )
    told = [f"{number}: {what}" for what, number in sorted(found.items(), key=lambda each: (-each[1], each[0]))]
    return f" They wait for: {'; '.join(told[:MOST])}." if told else ""
