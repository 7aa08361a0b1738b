"""What happened: the facts, their envelope, and their canonical bytes."""
