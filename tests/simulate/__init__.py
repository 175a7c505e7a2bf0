"""The whole operator in a world of its own: one thread, virtual time, one seed, and everything that can go wrong.

What runs is the operator's own code from the HTTP client up: caches, queue, looks, writes, Lease. Replaced are the
socket (`network.py`), kopf (`feeder.py`), and the clocks (`clocks.py`); the API server is `fakeapi`'s store and rules
without its HTTP. `people.py` and `weather.py` do what they like for a while, then the world is quiet, and all must be
well: `oracle.py` watches every change of the store and every request. A seed tells the same story each time:

    python -m simulate --seed=17
"""
