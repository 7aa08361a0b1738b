"""Witnesses: others who see how large the log is and that it only grew, never what it holds (C2SP ``tlog-witness``).

``asking.py``: one request, and one submission with its consistency proof. ``submitting.py``: the relay's part, which hands each
signed head on and keeps what comes back. ``gate.py``: what every writer asks at its start, and when it stops.
"""
