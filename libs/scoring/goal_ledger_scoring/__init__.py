"""What it amounts to: measures, roll-up, status."""

from goal_ledger_scoring.expected import expected_score
from goal_ledger_scoring.inputs import ChildLink, GoalInput, KeyResultInput, PartInput, ScoreAtClosing
from goal_ledger_scoring.key_result import score_key_result
from goal_ledger_scoring.results import GoalScore, KeyResultScore, PartScore
from goal_ledger_scoring.roll_up import score_tree

CALCULATION = "4"
"""The version of these formulas; a release in which any answer changes raises it (SPEC 7)."""

__all__ = [
    "CALCULATION",
    "ChildLink",
    "GoalInput",
    "GoalScore",
    "KeyResultInput",
    "KeyResultScore",
    "PartInput",
    "PartScore",
    "ScoreAtClosing",
    "expected_score",
    "score_key_result",
    "score_tree",
]
