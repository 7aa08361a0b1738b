"""Says yes or no, and remembers."""
