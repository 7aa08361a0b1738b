"""``operator store recover``: a store that was set back gets from Kafka what it lacks, byte for byte.

``continuing.py``: which records continue a workspace's log. ``beside.py``: answers, identities and points from facts.
``appending.py``: what is written, and when. ``heads.py``: the signed heads that the log must agree with. ``recovering.py``: one
workspace after another, looked at first and written then.
"""
