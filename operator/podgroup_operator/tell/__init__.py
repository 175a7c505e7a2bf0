"""Telling: status, Events, metrics, log lines and endpoints, all from the same plan."""
