"""Command lines of the command service."""

from goal_ledger_command.cli.operator import operator as operator_commands

__all__ = ["operator_commands"]
