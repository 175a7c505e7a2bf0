"""Keeps N pods of a PodGroup alive: the operator."""

__version__ = "0.1.0"
