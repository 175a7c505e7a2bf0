"""A small model of the world around the core: an API server that remembers, and operators that lag behind it.

The API server is a dict of pods with one order of versions and a history of what happened. An operator sees that
history late, decides with the real plan from the real cache and ledger, and acts on the API server, which may
refuse, or do it and not answer. So what is explored here is what a running operator meets, without its I/O.
"""
