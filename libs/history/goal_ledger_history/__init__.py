"""How it stood: definitions and values at any moment as known at any moment, and the scores and statuses they come to.

The rules stand here once, over two protocols (``protocols.py``): facts answer them in memory (``from_facts.py``), the
read side answers them from its tables, for whole workspaces at once.
"""
