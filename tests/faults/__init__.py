"""The fault campaign: real parts are killed while work is under way, and everything is counted afterwards.

`make faults` runs all of it; tests/end_to_end runs short versions. docs/operations/faults.md says what is proven.
"""
