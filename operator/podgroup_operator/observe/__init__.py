"""Observing: what is seen of PodGroups and pods, and what is remembered of them."""
