"""Command lines of the command service."""
