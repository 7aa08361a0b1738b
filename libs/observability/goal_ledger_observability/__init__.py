"""How we watch it: logs, metrics, health."""
