"""``python -m goal_ledger_verifier``."""

from goal_ledger_verifier.main import main

main()
