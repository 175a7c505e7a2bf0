"""The records that flow through the core: what is wanted, what is seen, what shall be done, what is told.

All are frozen, all are small. Times are seconds since the epoch as floats; resource versions are integers, comparable
by KEP-5504.
"""
