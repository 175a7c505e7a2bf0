"""Checks of what is shipped: its manifests and its dependencies."""
