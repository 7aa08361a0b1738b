"""Reconciliation: are the store, Kafka and the read side the same, row for row? See docs/operations/reconciliation.md.

``hashes.py``: the store's hashes, against the head and the read side's facts. ``refolding.py``: the read models' rows against
what the facts amount to. ``topic.py``: Kafka's records. ``passing.py``: one pass over all of it. ``process.py``: again and again.
"""
