"""How we watch it: logs, metrics, health. Nothing here knows goals."""
