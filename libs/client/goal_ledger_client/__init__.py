"""How others use it: a typed Python client and the goal-ledger command line."""
