"""What it amounts to: measures, roll-up, status."""
