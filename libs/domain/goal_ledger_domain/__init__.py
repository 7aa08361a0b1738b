"""What is allowed: deciders, one file per stream."""
