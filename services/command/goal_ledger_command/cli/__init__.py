"""Command lines of the command service."""

from goal_ledger_command.cli.new_epoch import new_epoch
from goal_ledger_command.cli.operator import operator as operator_commands

operator_commands.command("new-epoch")(new_epoch)

__all__ = ["operator_commands"]
