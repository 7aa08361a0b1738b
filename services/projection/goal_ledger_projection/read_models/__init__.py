"""What is told: one file per read model, with its table, how each fact changes it, and how it is asked."""
