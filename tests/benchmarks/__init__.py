"""How fast Goal Ledger is, each figure beside a plain program that does the same work in the same run (DESIGN 8)."""
