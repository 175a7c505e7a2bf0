"""The core decides; it performs no I/O, reads no clock and rolls no dice.

Every function here is pure: what is known comes in as frozen records, the time comes in as `now`
(seconds since the epoch), and what should happen goes out as data. So a decision can be printed,
replayed, tested against a literal and explored exhaustively. The import linter holds the line.

Read `plan.py` first; it lists the policies, one small file each.
"""
