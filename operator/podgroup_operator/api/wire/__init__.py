"""Between the API's JSON and the core's records: the only place that knows JSON paths.

What is missing means its default, and so does what cannot be read (`fields.py`), which is noted: nothing raises here,
whatever stands in an object.
"""
