"""How it stood, answered from tables: the two protocols of `goal_ledger_history`, for whole workspaces at once."""
