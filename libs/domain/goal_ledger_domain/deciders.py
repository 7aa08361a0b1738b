"""All rows of the domain: what each command needs and does, and how each folded fact changes the state."""

from __future__ import annotations

from types import ModuleType

from goal_ledger_domain import (
    access,
    alignment,
    binding,
    carry_over,
    check_in,
    comment,
    cycle,
    feed,
    key_result,
    lifecycle,
    moment,
    objective,
    person,
    policy,
    reading,
    reading_review,
    restart,
    system,
    unit,
    workspace,
)
from goal_ledger_domain.decider import Command, Decider, Fold, Rule

ORGANISATION: tuple[ModuleType, ...] = (
    workspace,
    policy,
    moment,
    access,
    system,
    unit,
    person,
    cycle,
    feed,
    reading,
    reading_review,
    restart,
)
GOALS: tuple[ModuleType, ...] = (
    objective,
    key_result,
    binding,
    alignment,
    lifecycle,
    carry_over,
    check_in,
    comment,
)
DECIDING = (*ORGANISATION, *GOALS)
"""The files of commands and their facts."""

RULES: dict[type, Rule] = {}
"""The row of each command."""

FOLDS: dict[type, Fold] = {}
"""How each fact that decisions need changes the state."""


def _take(module: ModuleType) -> None:
    """Raises TypeError for a command without a row, and for what has two."""
    decider: Decider = module.DECIDER
    for name, cls in vars(module).items():
        is_command = getattr(cls, "__module__", None) == module.__name__ and "meta" in getattr(
            cls, "__dataclass_fields__", ()
        )
        if is_command and cls not in decider.commands:
            raise TypeError(f"the command {name} has no row in {module.__name__}")
    for taken, more in ((RULES, decider.commands), (FOLDS, decider.folds)):
        twice = [one.__name__ for one in more if one in taken]
        if twice:
            raise TypeError(f"{', '.join(twice)} of {module.__name__} has a row elsewhere")
    RULES.update(decider.commands)
    FOLDS.update(decider.folds)


for _module in DECIDING:
    _take(_module)


def rule_of(command: Command) -> Rule:
    """The command's row."""
    return RULES[type(command)]
